"""The two halves of an edge at work: one reads, judges and stores, the other sends and tells. Only the disk joins them.

Reading stops while the spool is full, so that files stay where they are and a pipe pushes back. When nothing more will be read,
the end is reached once everything has arrived.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from app.clock import now_ms
from app.edge.folder import Read
from app.edge.sender import PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN, Later, Sender
from app.edge.sieve import Sieve
from app.edge.spool import READ, Spool

IDLE_SECONDS = 0.2


class Source(Protocol):
    """Where lines come from; a piece of it counts as read when the next one is asked for."""

    @property
    def faults(self) -> Sequence[str]: ...

    @property
    def ended(self) -> bool: ...

    def reads(self) -> Iterator[Read]: ...


class Station:
    """`say` gets one line whenever something changes that an operator wants to know."""

    def __init__(
        self, source: Source, sieve: Sieve, spool: Spool, sender: Sender, bytes_max: int, say: Callable[[str], None]
    ) -> None:
        self._source, self._sieve, self._spool, self._sender = source, sieve, spool, sender
        self._bytes_max, self._say = bytes_max, say
        self._stopped = asyncio.Event()
        self._is_full = False
        self._faults = 0
        self._over = False
        self.counts: Counter[str] = Counter()
        """What was held back, by reason, and all that was read."""

    def stop(self) -> None:
        """End soon; what waits, waits on disk."""
        self._stopped.set()

    async def run(self) -> None:
        """Returns when everything has arrived, or after `stop`. Raises `Misplaced`, and sqlite3.Error for the disk."""
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(), name="edge reads")
            sending = tasks.create_task(self._send(), name="edge sends")
            stopping = tasks.create_task(self._stopped.wait(), name="edge stops")
            await asyncio.wait([sending, stopping], return_when=asyncio.FIRST_COMPLETED)
            self._stopped.set()
            sending.cancel()
            await reading

    async def _read(self) -> None:
        while not (self._over or self._stopped.is_set()):
            lines = await asyncio.to_thread(self._take_in)
            self._over = self._source.ended
            for fault in self._source.faults[self._faults :]:
                self._say(fault)
            self._faults = len(self._source.faults)
            if not lines:
                await asyncio.sleep(IDLE_SECONDS)

    def _take_in(self) -> int:
        """Takes in what is there; the number of lines. Stops where the spool is full."""
        lines = 0
        if self._full():
            return lines
        for read in self._source.reads():
            now = now_ms()
            judged = [self._sieve.judge(line.strip(), now) for line in read.lines if line.strip()]
            self.counts.update(self._spool.take(judged, now, read.place))
            lines += len(judged)
            if self._stopped.is_set() or self._full():
                break
        return lines

    def _full(self) -> bool:
        was, self._is_full = self._is_full, self._spool.size() >= self._bytes_max
        if self._is_full and not was:
            self._say(f"the spool has its {self._bytes_max:,} bytes; nothing more is read until the centre has taken some of it")
        return self._is_full

    async def _send(self) -> None:
        pause = PAUSE_SECONDS_MIN
        while True:
            try:
                is_idle = not await self._sender.send()
                if is_idle and await self._tell():
                    return
                if pause > PAUSE_SECONDS_MIN:
                    self._say("the centre answers again")
                pause = PAUSE_SECONDS_MIN
                await asyncio.sleep(IDLE_SECONDS if is_idle else 0)
            except Later as later:
                if pause == PAUSE_SECONDS_MIN:
                    self._say(f"{later}; what is read waits on disk")
                await asyncio.sleep(later.seconds or pause)
                pause = min(2 * pause, PAUSE_SECONDS_MAX)

    async def _tell(self) -> bool:
        """Tells what is to be told; whether that was all there will ever be."""
        over = self._over
        for telling in self._spool.tellings(at_end=over):
            await self._sender.tell(telling)
        return over and not self._spool.waiting()

    @property
    def held_back(self) -> dict[str, int]:
        """By reason."""
        return {reason: count for reason, count in sorted(self.counts.items()) if reason != READ}
