"""What was pulled goes to Kafka, once as far as this worker remembers, and without making a lookup wait for long.

Memory is short on purpose: event ids make a repetition harmless. A record counts as sent when it is acknowledged; while
Kafka is away nothing piles up here, for the next pull brings it again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from hashlib import blake2b
from itertools import islice

from aiokafka.errors import KafkaError

from app import topics
from app.reading import named
from app.runtime.durable import Record

log = logging.getLogger(__name__)

Publish = Callable[[Sequence[Record]], Awaitable[None]]

WAIT_SECONDS_MAX = 2.0
AT_ONCE_MAX = 8
"""Lookups whose records are on the way; with more, Kafka is away."""
PIECE = 500
REMEMBERED_MAX = 50_000
RECORD_BYTES_MAX = topics.RECORD_BYTES_MAX - 4_096
"""What is longer is no event; it is cut so that the topic takes it, and rejected for its length there."""


class Sending:
    """Sends to `topic`, its full name; `publish` returns when all is acknowledged."""

    def __init__(self, topic: str, publish: Publish) -> None:
        self._topic, self._publish = topic, publish
        self._sent: dict[bytes, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, pulled: Iterable[tuple[str, bytes]]) -> None:
        """Sends (system, record) pairs that were not sent before; returns when they are acknowledged, or after a while."""
        records = [Record(self._topic, None, value[:RECORD_BYTES_MAX], named(system)) for system, value in pulled]
        new = {name: record for record in records if (name := _name(record)) not in self._sent}
        if not new or len(self._tasks) >= AT_ONCE_MAX:
            return
        task = asyncio.create_task(self._deliver(new), name=f"send to {self._topic}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait([task], timeout=WAIT_SECONDS_MAX)

    async def _deliver(self, new: dict[bytes, Record]) -> None:
        names = list(new)
        try:
            for start in range(0, len(names), PIECE):
                piece = names[start : start + PIECE]
                await self._publish([new[name] for name in piece])
                self._remember(piece)
        except KafkaError as error:
            log.warning("%s does not take what was pulled: %s", self._topic, type(error).__name__)

    def _remember(self, names: Iterable[bytes]) -> None:
        self._sent.update(dict.fromkeys(names))
        for name in list(islice(self._sent, max(0, len(self._sent) - REMEMBERED_MAX))):
            del self._sent[name]


def _name(record: Record) -> bytes:
    return blake2b(record.headers[0][1] + b"\0" + (record.value or b""), digest_size=16).digest()
