"""Room for a few large things at a time, which bounds the memory that they take.

Who stays for longer than usual waits for somebody else, a partition of Kafka without a leader perhaps. That must not keep out
those who could go on, so its place is given away meanwhile.
"""

import asyncio
from types import TracebackType

STAY_SECONDS = 2.0


class Room:
    """So many places, first come, first served. For one event loop."""

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)

    def stay(self) -> "Stay":
        """A place for the length of a block, or for STAY_SECONDS of it."""
        return Stay(self._places)


class Stay:
    """Waits for a place, and leaves it at the end."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places, self._has_left = places, False

    async def __aenter__(self) -> None:
        await self._places.acquire()
        self._timer = asyncio.get_running_loop().call_later(STAY_SECONDS, self._leave)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        self._leave()

    def _leave(self) -> None:
        if not self._has_left:
            self._has_left = True
            self._places.release()
