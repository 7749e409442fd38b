"""`python -m tests.benchmarks.recovery`: how fast a worker without its disk reads its rows back, beside a stock Faust agent.

Both have changelogs of the same number of records on the same broker, and the same core, one after the other. A rate is of what
is read behind the first batch that is seen, so neither joining the group nor the first fetch is counted.
"""

import asyncio
import os
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from app.administration import administering
from app.broker import Broker
from tests.benchmarks.behaviour import newcomers
from tests.benchmarks.chain import appended, settle
from tests.benchmarks.machine import OTHERS, OURS, disk_bytes, measured, on
from tests.benchmarks.report import show
from tests.benchmarks.site import PARTITIONS, TOPIC, broker, changelog, employed, site
from tests.real.system import System, Unreachable, Worker

PREFIX, STOCK_PREFIX = "bench-recovery", "bench-stock"
OURS_NAME, STOCK_NAME = "a worker without its disk", "baseline: stock Faust agent without its disk"
CHUNK = 20_000
POLL_SECONDS, SECONDS_MAX = 0.05, 300.0
KEY, VALUE = b"session-%07d", b"v" * 200
"""Rows as the stock agent keeps them."""


class Read(NamedTuple):
    """Records that were read back, their bytes on Kafka's disk, and the seconds in which they were."""

    rows: int
    size: float
    seconds: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.rows / self.seconds

    @property
    def megabytes(self) -> float:
        """MB a second."""
        return self.size / self.seconds / 1e6


Figures = Mapping[str, Sequence[Read]]


@click.command()
@click.option("--people", default=40_000, show_default=True, type=click.IntRange(100, 10_000_000), help="In the tables.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1, 20), help="Of which the median counts.")
def main(people: int, runs: int) -> None:
    """Measures rows and megabytes a second, beside the baseline."""
    with tempfile.TemporaryDirectory(prefix="onetrail-bench-") as place, broker(Path(place)) as started:
        figures = asyncio.run(_figures(started, Path(place), people, runs))
    show("recovery", table(figures), ratios(figures), rows=figures[OURS_NAME][0].rows)


async def _figures(started: Broker, place: Path, people: int, runs: int) -> Figures:
    os.sched_setaffinity(0, OTHERS)
    figures: dict[str, list[Read]] = defaultdict(list)
    async with site(started.bootstrap, PREFIX, place) as (system, producer, loader):
        (worker,) = await employed(system)
        everybody = list(newcomers(people))
        for first in range(0, people, CHUNK):
            await settle(system, loader, everybody[first : first + CHUNK])
        ours = changelog(PREFIX)  # not compacted yet
        rows, size = await appended(started.bootstrap, ours), _bytes(started, ours)
        stock = await _stock_rows(started, producer, rows)
        for number in range(runs):
            click.echo(f"run {number + 1} of {runs}, load {os.getloadavg()[0]:.1f}: {rows:,} records", err=True)
            figures[OURS_NAME].append(_part(await _wiped(system, worker), size / rows))
            data = place / f"stock-{number}"
            words = (started.bootstrap, system.topic(TOPIC), rows, STOCK_PREFIX, data)
            told = await asyncio.to_thread(measured, "tests.benchmarks.stock_recovery", *words, seconds_max=SECONDS_MAX)
            figures[STOCK_NAME].append(_part((int(told["rows"]), told["seconds"]), _bytes(started, stock) / rows))
    return figures


def _part(read: tuple[int, float], row_bytes: float) -> Read:
    rows, seconds = read
    return Read(rows, rows * row_bytes, seconds)


async def _wiped(system: System, worker: Worker) -> tuple[int, float]:
    """Records that a start without a disk reads behind those that were seen first, and the seconds in which it does."""
    worker.stop()
    worker.wipe()
    with on(OURS):
        worker.start()
    seen: list[tuple[float, int]] = []
    end = time.perf_counter() + SECONDS_MAX
    while not await _is_ready(system, worker):
        assert time.perf_counter() < end, worker.tail()
        read = await _read(system, worker)
        if read and (not seen or read > seen[-1][1]):
            seen.append((time.perf_counter(), read))
        await asyncio.sleep(POLL_SECONDS)
    assert len(seen) > 1, "it was over before it was seen: take more people"
    return seen[-1][1] - seen[0][1], seen[-1][0] - seen[0][0]


async def _is_ready(system: System, worker: Worker) -> bool:
    try:
        return (await system.get("/readyz", worker)).status == 200
    except Unreachable:
        return False


async def _read(system: System, worker: Worker) -> int:
    """Changelog records since its start."""
    try:
        text = (await system.get("/metrics", worker)).body
    except Unreachable:
        return 0
    return int(sum(map(float, re.findall(r"(?m)^onetrail_changelog_records_total{.*} (.*)$", text))))


async def _stock_rows(started: Broker, producer: AIOKafkaProducer, rows: int) -> str:
    """A changelog of the stock agent with so many records; its name."""
    topic = f"{STOCK_PREFIX}-rows-changelog"
    async with administering(started.bootstrap) as admin:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs={"cleanup.policy": "compact"})])
    acks = [await producer.send(topic, VALUE, KEY % number, partition=number % PARTITIONS) for number in range(rows)]
    await asyncio.gather(*acks)
    return topic


def _bytes(started: Broker, topic: str) -> int:
    return disk_bytes((started.directory / "log").glob(f"{topic}-[0-9]*/*.log"))


def rates(figures: Figures, name: str) -> tuple[float, float]:
    """Medians of rows and of megabytes a second."""
    return median(one.rate for one in figures[name]), median(one.megabytes for one in figures[name])


def ratios(figures: Figures) -> dict[str, dict[str, float]]:
    """Time for a row, as a part of the baseline's."""
    return {OURS_NAME: {STOCK_NAME: rates(figures, STOCK_NAME)[0] / rates(figures, OURS_NAME)[0]}}


def table(figures: Figures) -> list[str]:
    """Markdown, as README.md has it."""
    lines = ["| | rows/s | MB/s | × stock, rows/s |", "|---|---|---|---|"]
    for name in figures:
        rows, megabytes = rates(figures, name)
        multiple = f"{rows / rates(figures, STOCK_NAME)[0]:.1f}" if name == OURS_NAME else ""
        lines.append(f"| {name} | {rows:,.0f} | {megabytes:.1f} | {multiple} |")
    return lines


if __name__ == "__main__":
    main()
