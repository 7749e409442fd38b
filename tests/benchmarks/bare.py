"""Baseline: `python -m tests.benchmarks.bare BOOTSTRAP TOPIC EVENTS` reads so many records, no more."""

import asyncio
import json
import sys
import time

from aiokafka import AIOKafkaConsumer, TopicPartition

PARTITIONS = 2


async def consume(bootstrap: str, topic: str, count: int) -> dict[str, float]:
    """Seconds and CPU seconds, from the first record to the last."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        read, begun, cpu = 0, time.perf_counter(), time.process_time()
        while read < count:
            read += sum(map(len, (await consumer.getmany(timeout_ms=1000)).values()))
        return {"events": read, "seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(consume(sys.argv[1], sys.argv[2], int(sys.argv[3])))))
