"""How much the collector holds in memory: bytes of requests that are not answered yet.

When Kafka is slow requests pile up here, and not without end: beyond the limit a request waits a moment for others to be
answered, and is then refused, so that its sender keeps what the collector cannot.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from app.web import Refusal

BYTES_MAX = 64 * 1024 * 1024
"""Decoded they take some four times as much."""
PATIENCE_SECONDS = 1.0


class Hold:
    """What one request holds."""

    __slots__ = ("_budget", "size")

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self.size = 0

    async def grow(self, count: int) -> None:
        """Hold so many bytes more. Raises `Refusal` (not_ready) when there is no room for them."""
        await self._budget.room_for(count)
        self._budget.held += count
        self.size += count


class Budget:
    """The bytes of all requests. For one event loop."""

    def __init__(self, limit: int = BYTES_MAX) -> None:
        self._limit = limit
        self._freed = asyncio.Event()
        self.held = 0

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        """What a request holds, given back when the block ends."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            self.held -= hold.size
            self._freed.set()

    async def room_for(self, count: int) -> None:
        """Returns when so many bytes may be held. Raises `Refusal` (not_ready) after PATIENCE_SECONDS."""
        if self.held + count <= self._limit:
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self.held + count > self._limit:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            raise Refusal("not_ready", "the collector is full; send it again a little later") from None
