"""Writes the load into a topic, quickly: whole batches, made by hand."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

BATCH_BYTES = 500_000


class Loader:
    """Fills one topic of `partitions` partitions."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partitions: int) -> None:
        self._producer, self._topic, self._partitions = producer, topic, partitions

    async def write(self, events: Sequence[bytes]) -> None:
        """Returns when all is acknowledged."""
        batches = [(p, batch) for p in range(self._partitions) for batch in self._batches(events[p :: self._partitions])]
        acks = [await self._producer.send_batch(batch, self._topic, partition=p) for p, batch in batches]
        await asyncio.gather(*acks)

    def _batches(self, events: Sequence[bytes]) -> list[BatchBuilder]:
        batches = [self._producer.create_batch()]
        for event in events:
            if batches[-1].append(key=None, value=event, timestamp=None) is None:
                batches.append(self._producer.create_batch())
                batches[-1].append(key=None, value=event, timestamp=None)
        return batches
