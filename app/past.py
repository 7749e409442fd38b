"""What a topic holds now, read from outside without a group, and where its partitions stood at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.runtime.topic_ids import topic_ids
from app.settings import Settings

POLL_MS = 500


async def records_of(settings: Settings, topic: str, since_ms: int | None = None) -> AsyncIterator[Any]:
    """All records up to the present end, those of each partition in order; `since_ms`: appended at or after it.

    Raises LookupError when there is no such topic, aiokafka's errors when there is no broker.
    """
    await topic_ids(settings.bootstrap, settings.security, [topic])
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=settings.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", **settings.security
    )
    try:
        await consumer.start()
        async for record in _to_end(consumer, since_ms):
            yield record
    finally:
        await consumer.stop()


async def begins_of(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], since_ms: int | None
) -> Mapping[TopicPartition, int]:
    """The offset of the first record of each partition that was appended at or after `since_ms`; the end where there is none."""
    if since_ms is None:
        found: Mapping[TopicPartition, int] = await consumer.beginning_offsets(partitions)
        return found
    ends = await consumer.end_offsets(partitions)
    at = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
    return {tp: ends[tp] if at[tp] is None else at[tp].offset for tp in partitions}


async def _to_end(consumer: AIOKafkaConsumer, since_ms: int | None) -> AsyncIterator[Any]:
    """Without a group all partitions are its own."""
    partitions = sorted(consumer.assignment())
    ends = await consumer.end_offsets(partitions)
    begins = await begins_of(consumer, partitions, since_ms)
    open_partitions = {tp for tp in partitions if begins[tp] < ends[tp]}
    for tp in partitions:
        consumer.seek(tp, min(begins[tp], ends[tp]))
    while open_partitions:
        batches = await consumer.getmany(*open_partitions, timeout_ms=POLL_MS)
        for record in chain.from_iterable(batches.values()):
            if record.offset < ends[TopicPartition(record.topic, record.partition)]:
                yield record
        open_partitions = {tp for tp in open_partitions if await consumer.position(tp) < ends[tp]}
