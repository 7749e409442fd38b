"""How long an event takes from its acknowledgement until lookups see it, at a steady rate, and what processes use meanwhile.

An event is seen when its row is appended to the changelog: its worker answers from that row a moment later, and a
reader of the changelog costs the worker nothing. What the reader itself takes is in the figure.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.benchmarks.asking import Waited
from tests.benchmarks.machine import cpu_seconds
from tests.benchmarks.site import INNER_PARTITIONS, changelog

TIMELINE = b"t|"
LINGER_SECONDS = 20.0
"""After the last event; what was not seen by then counts as lost."""


class Delay(NamedTuple):
    """Milliseconds at three quantiles, and the share of a core that each process used."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    cores: tuple[float, ...]


Send = Callable[[bytes], Awaitable[object]]
"""Sends a record; returns when it is acknowledged."""


class Watch:
    """Notes when the row of each event was appended."""

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self.news = asyncio.Event()

    async def read(self, consumer: AIOKafkaConsumer) -> None:
        """Reads until it is cancelled."""
        async for record in consumer:
            if record.key.startswith(TIMELINE):
                self.seen.setdefault(record.key.split(b"|", 3)[3].decode(), time.perf_counter())
                self.news.set()


@asynccontextmanager
async def watching(bootstrap: str, prefix: str) -> AsyncIterator[Watch]:
    """The changelog of a system, watched meanwhile: all that is appended from the beginning of the context on."""
    watch = Watch()
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=50) as consumer:
        consumer.assign([TopicPartition(changelog(prefix), partition) for partition in range(INNER_PARTITIONS)])
        assert await consumer.seek_to_end(), "where the changelog ends is not known"
        reading = asyncio.create_task(watch.read(consumer))
        try:
            yield watch
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def delay(send: Send, watch: Watch, events: Sequence[tuple[str, bytes]], rate: float, pids: Sequence[int]) -> Delay:
    """Sends (event id, record) pairs, so many a second; the first fifth warms up. Tells the CPU of the processes `pids`."""
    acknowledged: dict[str, float] = {}

    async def sent(name: str, record: bytes) -> None:
        await send(record)
        acknowledged[name] = time.perf_counter()

    begun, used, sending = time.perf_counter(), [cpu_seconds(pid) for pid in pids], list[asyncio.Task[None]]()
    for number, (name, record) in enumerate(events):
        await asyncio.sleep(begun + number / rate - time.perf_counter())
        sending.append(asyncio.create_task(sent(name, record)))
    await asyncio.gather(*sending)
    took = time.perf_counter() - begun
    cores = tuple((cpu_seconds(pid) - before) / took for pid, before in zip(pids, used, strict=True))
    await _all_seen(watch, acknowledged)
    waited = Waited.of([1e3 * (watch.seen[name] - acknowledged[name]) for name, _ in events[len(events) // 5 :]])
    return Delay(waited.p50_ms, waited.p95_ms, waited.p99_ms, cores)


async def _all_seen(watch: Watch, acknowledged: dict[str, float]) -> None:
    async with asyncio.timeout(LINGER_SECONDS):
        while not watch.seen.keys() >= acknowledged.keys():
            watch.news.clear()
            await watch.news.wait()
