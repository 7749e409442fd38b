"""What waits for one topic, and the one batch that is on its way there.

All that arrives while a batch is under way becomes the next batch, so under load batches grow by themselves and a lone
event does not wait. A batch whose acknowledgement does not come is repeated by the producer for as long as it takes; while
it is overdue the lane is *stuck*, and takes nothing more: whoever wants to send is told so at once, and memory stays bounded.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from app.runtime.durable import Record

BATCH_BYTES = 900_000
"""Below what a topic takes in one batch (`app.topics.RECORD_BYTES_MAX`), framing included."""
ACK_SECONDS_MAX = 3.5
"""An acknowledgement that takes longer is an outage; a client must have its answer within 5 s of one."""

Send = Callable[[str, Sequence[Record]], Awaitable[None]]


class Unavailable(Exception):
    """Kafka did not acknowledge in time, or cannot be reached; nothing is known of what was sent."""


class Overdue(Unavailable):
    """Kafka did not acknowledge in time."""


class Load:
    """Records that travel in one batch, of at most BATCH_BYTES unless it is one record alone; done when acknowledged.

    Whoever waits for it waits ACK_SECONDS_MAX at most; then it is `Overdue`.
    """

    __slots__ = ("_patience", "acknowledged", "records", "size")

    def __init__(self, records: Sequence[Record], size: int) -> None:
        self.records = records
        self.size = size
        loop = asyncio.get_running_loop()
        self.acknowledged: asyncio.Future[None] = loop.create_future()
        self._patience = loop.call_later(ACK_SECONDS_MAX, self._overdue)

    def settle(self, error: Unavailable | None) -> None:
        """Tell whoever still waits how it went."""
        if self.acknowledged.done():
            return
        if error is None:
            self.acknowledged.set_result(None)
        else:
            self.acknowledged.set_exception(error)

    def give_up(self) -> None:
        """Nobody waits any more: it is not sent if it has not left, and how it went is of no interest."""
        self._patience.cancel()
        if not self.acknowledged.cancel() and not self.acknowledged.cancelled():
            self.acknowledged.exception()

    def _overdue(self) -> None:
        self.settle(Overdue(f"Kafka did not acknowledge within {ACK_SECONDS_MAX} s"))


class Lane:
    """Carries loads to one topic, one batch at a time. `send` returns when Kafka has acknowledged all of them."""

    def __init__(self, topic: str, send: Send) -> None:
        self._topic = topic
        self._send = send
        self._waiting: deque[Load] = deque()
        self._carrier: asyncio.Task[None] | None = None
        self._left_at: float | None = None

    @property
    def stuck(self) -> bool:
        """Whether the batch under way is overdue."""
        return self._left_at is not None and asyncio.get_running_loop().time() - self._left_at > ACK_SECONDS_MAX

    def put(self, load: Load) -> None:
        """Queue a load. Raises `Unavailable` while the lane is stuck."""
        if self.stuck:
            raise Unavailable(f"no acknowledgement from {self._topic}")
        self._waiting.append(load)
        if self._carrier is None:
            self._carrier = asyncio.create_task(self._carry(), name=f"lane {self._topic}")

    async def _carry(self) -> None:
        try:
            while batch := self._next():
                await self._take_away(batch)
        finally:
            self._carrier = None

    async def _take_away(self, batch: Sequence[Load]) -> None:
        error: Unavailable | None = Unavailable(f"{self._topic} could not be written")
        self._left_at = asyncio.get_running_loop().time()
        try:
            await self._send(self._topic, [record for load in batch for record in load.records])
            error = None
        except Unavailable as unavailable:
            error = unavailable
        finally:
            self._left_at = None
            for load in batch:
                load.settle(error)

    def _next(self) -> list[Load]:
        batch: list[Load] = []
        size = 0
        while self._waiting and (not batch or size + self._waiting[0].size <= BATCH_BYTES):
            load = self._waiting.popleft()
            if not load.acknowledged.done():
                batch.append(load)
                size += load.size
        return batch
