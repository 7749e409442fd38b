"""The records of several topics in the order of the log: by append time, then by topic, partition and offset."""

from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer

POLL_MS = 200
AHEAD = 500
"""Records of a partition that are read ahead."""


async def in_order(consumer: AIOKafkaConsumer, ends: Mapping[Any, int]) -> AsyncIterator[Any]:
    """Records from where the consumer stands up to these ends. Memory: `AHEAD` records a partition."""
    waiting: dict[Any, deque[Any]] = {tp: deque() for tp in sorted(ends)}
    reached = {tp: await consumer.position(tp) for tp in ends}
    while True:
        for tp, queue in waiting.items():
            while not queue and reached[tp] < ends[tp]:
                found = (await consumer.getmany(tp, timeout_ms=POLL_MS, max_records=AHEAD)).get(tp, [])
                queue.extend(record for record in found if record.offset < ends[tp])
                reached[tp] = await consumer.position(tp)
        heads = [queue for queue in waiting.values() if queue]
        if not heads:
            return
        first = min(heads, key=lambda queue: (queue[0].timestamp, queue[0].topic, queue[0].partition))
        yield first.popleft()
