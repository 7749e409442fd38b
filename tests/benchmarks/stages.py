"""CPU of each stage alone: `python -m tests.benchmarks.stages EVENTS DATA`, without Kafka.

Stages and tables are the real ones, with a publisher that keeps what it is given in lists; what a stage sends is what the next
one reads. Their environment is made here, before they are imported: hence the imports by name.
"""

import asyncio
import cProfile
import json
import os
import pstats
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from app.runtime.durable import Record
from app.runtime.packs import Packed
from app.runtime.rows import Partition, RocksDBOptions
from app.runtime.stage import Position
from tests.benchmarks.behaviour import BEGIN_MS, linking, steady

BATCH = 2_000
RECEIVED_MS = BEGIN_MS + 86_400_000 * 365
PROFILED_LINES = 40


class Read(NamedTuple):
    """A record as a consumer gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Publisher:
    """Keeps the packs; counts the changelog."""

    def __init__(self) -> None:
        self.logs: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)

    async def publish(self, records: Sequence[Record], rounds: Iterable[Sequence[Packed]]) -> None:
        for packs in rounds:
            for pack in packs:
                self.logs[pack.topic, pack.partition].append(pack.value)

    async def append(self, topic: str, partition: int, rows: Sequence[tuple[bytes, bytes]], last: int) -> int:
        return last + len(rows)


class Driven:
    """A stage whose inbox is read from the publisher's lists."""

    def __init__(self, name: str, inbox: str, agent: Any, partitions: int, data: Path) -> None:
        self.name, self._inbox, self._stage, self._partitions = name, inbox, agent.stage, partitions
        options = RocksDBOptions(use_rocksdict=True)
        self._tables = [Partition(options.open(data / f"{name}-{p}")) for p in range(partitions)]
        self._persisted, self._read = [-1] * partitions, [0] * partitions

    @property
    def handled(self) -> int:
        """Messages so far."""
        return int(self._stage.handled)

    async def catch_up(self, logs: defaultdict[tuple[str, int], list[bytes]]) -> bool:
        """Whether there was anything to do."""
        busy = False
        for p in range(self._partitions):
            log, begin = logs[self._inbox, p], self._read[p]
            if begin < len(log):
                busy, self._read[p] = True, len(log)
                records = [Read(self._inbox, p, offset, RECEIVED_MS, log[offset]) for offset in range(begin, len(log))]
                at = Position(p, f"{self.name}/{p}")
                self._persisted[p] = await self._stage.apply(at, self._tables[p], self._persisted[p], records)
        return busy


class Bench:
    """The pipeline without Kafka."""

    def __init__(self, data: Path) -> None:
        os.environ |= {"ONETRAIL_DATA": str(data), "ONETRAIL_PREFIX": "bench", "ONETRAIL_KAFKA": "127.0.0.1:1"}
        collect, people = (import_module(f"agents.{name}") for name in ("collect", "people"))
        instance: Any = import_module("app.instance")
        self._publisher, self._relay = Publisher(), collect.relay
        for sender in (collect.relay, people.stage):
            sender._publisher = self._publisher
        self._people = Driven("people", instance.INBOX, people, instance.partitions, data)
        self._told = 0
        self.cpu_us: dict[str, float] = {}
        """Of an event, by stage and kind of events."""

    async def run(self, kind: str, events: Sequence[bytes]) -> None:
        """Batch by batch, each until the stage is at rest."""
        cpu: Counter[str] = Counter()
        for begin in range(0, len(events), BATCH):
            batch = enumerate(events[begin : begin + BATCH], self._told + begin)
            records = [Read("bench.behaviour.web", 0, n, RECEIVED_MS + n, value) for n, value in batch]
            started = time.process_time()
            await self._relay.apply("web/0", records)
            cpu["collect"] += time.process_time() - started  # type: ignore[assignment]
            while await self._timed(self._people, cpu):
                pass
        self._told += len(events)
        assert self._people.handled >= self._told, "events were turned away"
        self.cpu_us |= {f"{stage}, {kind}": seconds / len(events) * 1e6 for stage, seconds in cpu.items()}

    async def _timed(self, stage: Driven, cpu: Counter[str]) -> bool:
        started = time.process_time()
        busy = await stage.catch_up(self._publisher.logs)
        cpu[stage.name] += time.process_time() - started  # type: ignore[assignment]
        return busy


def main(count: int, data: Path, profile: bool) -> None:
    """Writes microseconds an event, by stage."""
    bench, profiler = Bench(data), cProfile.Profile()
    kinds = {"new links": linking(count), "steady": steady(count, known=count)}
    for kind, events in kinds.items():
        if profile:
            profiler.enable()
        asyncio.run(bench.run(kind, events))
        profiler.disable()
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(PROFILED_LINES)
    print(json.dumps(bench.cpu_us))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), profile=False)
