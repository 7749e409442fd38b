"""Behaviour that is told to a system all the while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.real.crowd import Behaviour, Crowd
from tests.real.system import System

RATE = 200


class Load:
    """Events of a crowd at `rate` a second; `told` is what was acknowledged or is under way."""

    def __init__(self, system: System, crowd: Crowd, rate: int = RATE) -> None:
        self._system, self._crowd, self._rate = system, crowd, rate
        self.told: list[Behaviour] = []
        self._stop = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tells until the block is left; then all of it is acknowledged. A block that fails is not waited for."""
        self._stop = False
        task = asyncio.create_task(self._run())
        try:
            yield
            self._stop = True
            await task
        finally:
            task.cancel()

    async def _run(self) -> None:
        while not self._stop:
            events = self._crowd.events(self._rate // 4)
            self.told += events
            await self._system.tell(events, rate=self._rate)
