"""Handing runs to agents without a task for each.

Upstream waits for each message to be taken, for the tap to be shut and for its own end, whichever comes first, with four tasks.
A run is taken at once unless the tap is shut; so that is tried first, and only who has to wait waits like that.
"""

from collections.abc import Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any


def at_once(taking: Coroutine[Any, Any, Any]) -> Any:
    """Begins a coroutine. What it returns if it need not wait, else `Rest`, an awaitable for the rest of it.

    Until its first wait it runs in the task of whoever calls this, so a timeout that it begins there would be theirs.
    """
    try:
        waits_for = taking.send(None)
    except StopIteration as ended:
        return ended.value
    return Rest(taking, waits_for)


class Rest:
    """A coroutine that was begun outside of a task, and what it waits for; to be awaited once."""

    def __init__(self, begun: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._begun, self._waits_for = begun, waits_for

    async def end(self) -> Any:
        """Goes on with it; its value."""
        return await _resumed(self._begun, self._waits_for)


@coroutine
def _resumed(begun: Coroutine[Any, Any, Any], waits_for: Any) -> Generator[Any, Any, Any]:
    while True:
        try:
            told = yield waits_for
        except BaseException as error:  # cancelled: it is for the coroutine to say what that means
            step = partial(begun.throw, error)
        else:
            step = partial(begun.send, told)
        try:
            waits_for = step()
        except StopIteration as ended:
            return ended.value
