"""A coroutine that need not wait ends at once, without a task; the rest of one that must goes on in a task."""

import asyncio

import pytest

from app.runtime.handover import Rest, at_once


async def waiting(gate: "asyncio.Future[str]") -> str:
    try:
        return await gate + await asyncio.sleep(0, "!")
    except asyncio.CancelledError:
        gate.cancel()
        raise


async def failing() -> None:
    raise ValueError("it cannot be taken")


async def test_what_need_not_wait_is_done_at_once() -> None:
    assert at_once(answering("taken")) == "taken"


async def answering(word: str) -> str:
    return word


async def test_what_must_wait_goes_on_where_it_stopped() -> None:
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    rest = at_once(waiting(gate))
    assert isinstance(rest, Rest)
    going_on = asyncio.create_task(rest.end())
    await asyncio.sleep(0)
    assert not going_on.done()
    gate.set_result("taken")
    assert await going_on == "taken!"


async def test_who_is_cancelled_while_it_waits_hears_of_it() -> None:
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    rest = at_once(waiting(gate))
    assert isinstance(rest, Rest)
    going_on = asyncio.create_task(rest.end())
    await asyncio.sleep(0)
    going_on.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going_on
    assert gate.cancelled()


async def test_what_fails_fails_here() -> None:
    with pytest.raises(ValueError, match="cannot be taken"):
        at_once(failing())
