"""How long an event takes from its acknowledgement until lookups see it, at a steady rate, and what the worker uses meanwhile.

An event is seen when its row is appended to the changelog of journeys: its worker answers from that row a moment later, and a
reader of the changelog costs the worker nothing. What the reader itself takes is in the figure.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.benchmarks.machine import cpu_seconds

TIMELINE = b"t|"
LINGER_SECONDS = 5.0
"""After the last event; what was not seen by then counts as lost."""


class Delay(NamedTuple):
    """Milliseconds at two quantiles, and the share of a core that the worker used."""

    p50_ms: float
    p95_ms: float
    core: float


class Watch:
    """Notes when the row of each event was appended."""

    def __init__(self, bootstrap: str, changelog: str, partitions: int) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=50)
        self._partitions = [TopicPartition(changelog, partition) for partition in range(partitions)]
        self.seen: dict[str, float] = {}
        self.news = asyncio.Event()

    async def read(self) -> None:
        """Reads until it is cancelled, from what is appended next."""
        await self._consumer.start()
        try:
            self._consumer.assign(self._partitions)
            await self._consumer.seek_to_end()
            async for record in self._consumer:
                if record.key.startswith(TIMELINE):
                    self.seen.setdefault(record.key.split(b"|", 3)[3].decode(), time.perf_counter())
                    self.news.set()
        finally:
            await self._consumer.stop()


async def delay(
    producer: AIOKafkaProducer, topic: str, watch: Watch, events: Sequence[tuple[str, bytes]], pace: tuple[float, int]
) -> Delay:
    """Sends (event id, record) pairs at `pace` = events a second to the worker of a process id; the first fifth warms up."""
    rate, pid = pace
    acknowledged: dict[str, float] = {}

    async def send(name: str, record: bytes) -> None:
        await producer.send_and_wait(topic, record)
        acknowledged[name] = time.perf_counter()

    begun, used, sending = time.perf_counter(), cpu_seconds(pid), list[asyncio.Task[None]]()
    for number, (name, record) in enumerate(events):
        await asyncio.sleep(begun + number / rate - time.perf_counter())
        sending.append(asyncio.create_task(send(name, record)))
    await asyncio.gather(*sending)
    core = (cpu_seconds(pid) - used) / (time.perf_counter() - begun)
    await _all_seen(watch, acknowledged)
    waited = sorted(1e3 * (watch.seen[name] - acknowledged[name]) for name, _ in events[len(events) // 5 :])
    return Delay(waited[len(waited) // 2], waited[len(waited) * 95 // 100], core)


async def _all_seen(watch: Watch, acknowledged: dict[str, float]) -> None:
    async with asyncio.timeout(LINGER_SECONDS):
        while not watch.seen.keys() >= acknowledged.keys():
            watch.news.clear()
            await watch.news.wait()
