"""A relay: a stage without state. Each record of its topics becomes messages and records, and may do so again and again."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app.runtime.durable import Record
from app.runtime.packs import Outbox, moment, numbers
from app.runtime.stage import YIELD_SECONDS, Message, Publisher, Sent

Handle = Callable[[Any], Iterable[Sent]]
Refuse = Callable[[Any, str], Record]


class Relay:
    """Handles raw records; `handle` is pure, and `refuse` makes the record of one that it could not handle."""

    def __init__(self, handle: Handle, refuse: Refuse, partitions: int, publisher: Publisher) -> None:
        self._handle, self._refuse, self._partitions, self._publisher = handle, refuse, partitions, publisher
        self.handled = 0

    async def apply(self, source: str, records: Sequence[Any]) -> None:
        """Handles records of one partition; returns when all that follows from them is acknowledged."""
        outbox, out = Outbox(source, self._partitions), []
        pause = time.perf_counter() + YIELD_SECONDS
        for record in records:
            for number, sent in enumerate(self._outcome(record), numbers(moment(record.offset, 0))):
                if isinstance(sent, Message):
                    outbox.send(sent.topic, sent.route, number, sent.body)
                else:
                    out.append(sent)
            if time.perf_counter() > pause:
                await asyncio.sleep(0)
                pause = time.perf_counter() + YIELD_SECONDS
        await self._publisher.publish(out, outbox.rounds())
        self.handled += len(records)

    def _outcome(self, record: Any) -> list[Sent]:
        try:
            return list(self._handle(record))
        except Exception as error:  # the named edge of a relay: a record that cannot be handled must not stop those behind it
            return [self._refuse(record, f"{type(error).__name__}: {error}")]
