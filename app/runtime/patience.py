"""How long Kafka may wait until it answers a fetch: long when all is quiet, and hardly at all while there is work.

A client has one fetch under way at a broker, which asks for those partitions alone of which it holds no records. While lanes are
full such a fetch may ask for nothing but topics without news; nobody got anything else until it was answered, for up to 1.5 s.
And what comes in a few milliseconds costs less in one answer than one by one: every fetch names all partitions.
"""

import asyncio
from collections.abc import Callable
from typing import Any

QUIET_BYTES, QUIET_MS = 1, 1_500
"""As Faust has it: the first byte is answered at once."""
BUSY_BYTES, BUSY_MS = 65_536, 20
QUIET_SECONDS = 0.02
"""So long without records and without work in hand: looked at as often, so it may take twice as long."""


class Patience:
    """Sets what the next fetches of a fetcher ask for; `busy` tells whether there is work in hand."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        self._busy = busy
        self._is_lost = self._came = False

    def lose(self, fetcher: Any) -> None:
        """Records have come: from the next fetch on, until all is quiet again."""
        self._came = True
        if not self._is_lost:
            self._is_lost = True
            fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = BUSY_BYTES, BUSY_MS
            self._wait(fetcher)

    def _wait(self, fetcher: Any) -> None:
        self._came = False
        asyncio.get_running_loop().call_later(QUIET_SECONDS, self._regain, fetcher)

    def _regain(self, fetcher: Any) -> None:
        if self._came or self._busy():
            self._wait(fetcher)
        else:
            self._is_lost = False
            fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = QUIET_BYTES, QUIET_MS
