"""`python -m tests.benchmarks.scale`: what an event costs when there are many people, and what they take in memory and on disk.

One worker on its core gets so many people: one event each, which names a session and an account, the dearest there is. Then
come events without news in three shapes, which say how far caches help: each of anybody; visits of ten events, a thousand at a
time; and visits with every fifth event of one hot session. RocksDB flushes and compacts in threads of its own, and pays late
for what was written early, so their CPU is told beside. A few minutes for 10,000 and 500,000 people on an idle machine; a bar
shows how far it is.
"""

import asyncio
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from app.broker import Broker
from tests.benchmarks.behaviour import SHAPES, newcomers
from tests.benchmarks.chain import settle
from tests.benchmarks.machine import OTHERS, Figure, cpu_seconds, disk_bytes, memory_mb, store_seconds
from tests.benchmarks.report import middle, show
from tests.benchmarks.site import Site, broker, employed, site
from tests.real.system import Worker

CHUNK = 20_000
DRAINED_SECONDS_MAX = 4 * 3_600.0
PLACES = {
    "the topic": ["{prefix}.behaviour.web"],
    "inboxes": ["{prefix}.people.inbox"],
    "changelogs": ["{prefix}-people-changelog"],
    "outputs": ["{prefix}.identity.map", "{prefix}.identity.merges", "{prefix}.journey.changes"],
}
WORKERS_DISK = "a worker's disk"
Bytes = Mapping[str, float]


class Crowd(NamedTuple):
    """What was seen of one worker with so many people. Bytes are those of a newcomer's event, and of an event without news."""

    people: int
    came: Figure
    steady: Mapping[str, Sequence[Figure]]
    peak_mb: float
    held_mb: float
    store_share: float
    newcomer: Bytes
    event: Bytes


@click.command()
@click.option("--people", "sizes", default="10000,500000", show_default=True, help="How many; the first number is the baseline.")
@click.option("--events", default=30_000, show_default=True, type=click.IntRange(1_000, 2_000_000), help="Of a measurement.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1, 20), help="Of which the median counts.")
def main(sizes: str, events: int, runs: int) -> None:
    """Measures CPU, memory and disk with few and with many people."""
    crowds = []
    with tempfile.TemporaryDirectory(prefix="onetrail-bench-") as place, broker(Path(place)) as started:
        for people in map(int, sizes.replace("_", "").split(",")):
            click.echo(f"{people:,} people, load {os.getloadavg()[0]:.1f}", err=True)
            crowds.append(asyncio.run(_measured(started, Path(place), people, events, runs)))
    show("scale", table(crowds), ratios(crowds), people=[told(crowd) for crowd in crowds])


async def _measured(started: Broker, place: Path, people: int, events: int, runs: int) -> Crowd:
    os.sched_setaffinity(0, OTHERS)
    prefix = f"bench-{people}"
    async with site(started.bootstrap, prefix, place) as there:
        (worker,) = await employed(there.system)

        def held() -> Bytes:
            return _held(started, worker, prefix)

        nothing = held()
        came = await _fill(there, worker, people)
        peak, filled = memory_mb(worker.pid), held()
        cpu, store = cpu_seconds(worker.pid), store_seconds(worker.pid)
        steady: dict[str, list[Figure]] = defaultdict(list)
        for number, shape in product(range(runs), SHAPES):
            click.echo(f"  run {number + 1} of {runs}, load {os.getloadavg()[0]:.1f}: {shape}", err=True)
            steady[shape].append(await settle(there.system, there.loader, SHAPES[shape](events, people, f"{shape}{number}")))
        share = (store_seconds(worker.pid) - store) / (cpu_seconds(worker.pid) - cpu)
        newcomer, event = _each(nothing, filled, people), _each(filled, held(), events * runs * len(SHAPES))
        return Crowd(people, came, steady, peak, memory_mb(worker.pid, "VmRSS"), share, newcomer, event)


async def _fill(there: Site, worker: Worker, people: int) -> Figure:
    """Everybody comes; written as fast as Kafka takes it, so that the worker is at full drain."""
    before, came, batch = cpu_seconds(worker.pid), newcomers(people), list[bytes]()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("people come", total=people)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for event in came:
            batch.append(event)
            if len(batch) == CHUNK:
                await there.loader.write(batch)
                batch = []
        await there.loader.write(batch)
        while (seen := (await there.system.status()).get("events", 0)) < people:
            assert loop.time() - begun < DRAINED_SECONDS_MAX, f"{seen} of {people} after {DRAINED_SECONDS_MAX} s"
            bar.update(task, completed=seen)
            await asyncio.sleep(1)
        took = loop.time() - begun
        bar.update(task, completed=people)
        await there.system.settled(DRAINED_SECONDS_MAX)
    return Figure(people, took, cpu_seconds(worker.pid) - before)


def _held(started: Broker, worker: Worker, prefix: str) -> Bytes:
    """Bytes by place."""
    log = started.directory / "log"
    topics = {
        place: disk_bytes(file for name in names for file in log.glob(f"{name.format(prefix=prefix)}-[0-9]*/*.log"))
        for place, names in PLACES.items()
    }
    return {**topics, WORKERS_DISK: disk_bytes(worker.data.rglob("*"))}


def _each(before: Bytes, after: Bytes, events: int) -> Bytes:
    return {place: (after[place] - before[place]) / events for place in after}


def cpu_us(crowd: Crowd, shape: str) -> float:
    """Microseconds an event, the median of the runs."""
    return middle(crowd.steady[shape])[1]


def ratios(crowds: Sequence[Crowd]) -> dict[str, dict[str, float]]:
    """CPU an event, as a multiple of that with the fewest people, and with a hot session, of that without."""
    first = crowds[0]
    found = {
        f"{crowd.people:,} people, {shape}": {f"{first.people:,} people": cpu_us(crowd, shape) / cpu_us(first, shape)}
        for crowd in crowds[1:]
        for shape in SHAPES
    }
    hot = {
        f"hot session, {crowd.people:,} people": {"visits": cpu_us(crowd, "hot") / cpu_us(crowd, "visits")} for crowd in crowds
    }
    return {**found, **hot}


def told(crowd: Crowd) -> dict[str, object]:
    """What a line of history says of it."""
    steady = {shape: round(cpu_us(crowd, shape), 1) for shape in SHAPES}
    return {**crowd._asdict(), "came": round(crowd.came.cpu_us, 1), "steady": steady}


def table(crowds: Sequence[Crowd]) -> list[str]:
    """Markdown, as README.md has it: a column for each number of people."""
    columns = [_column(crowd, crowds[0]) for crowd in crowds]
    heads = " | ".join(f"{crowd.people:,} people" for crowd in crowds)
    rows = [f"| {title} | {' | '.join(column[title] for column in columns)} |" for title in columns[0]]
    return [f"| | {heads} |", "|---|" + "---|" * len(crowds), *rows]


def _column(crowd: Crowd, first: Crowd) -> dict[str, str]:
    shown = {"CPU an event, a newcomer with a link": f"{crowd.came.cpu_us:.0f} us"}
    for shape, title in TITLES.items():
        shown[f"CPU an event, {title}"] = f"{cpu_us(crowd, shape):.0f} us"
        shown[f"× {first.people:,} people, {title}"] = f"{cpu_us(crowd, shape) / cpu_us(first, shape):.2f}"
    shown["of it in RocksDB's own threads"] = f"{crowd.store_share:.0%}"
    shown["memory of the worker, at full drain and after"] = f"{crowd.peak_mb:,.0f} MB, {crowd.held_mb:,.0f} MB"
    for place in crowd.event:
        shown[f"bytes in {place}, of a newcomer and of an event"] = f"{crowd.newcomer[place]:,.0f}, {crowd.event[place]:,.0f}"
    return shown


TITLES = {
    "anywhere": "each of anybody",
    "visits": "visits of ten events",
    "hot": "visits, every fifth event of one session",
}


if __name__ == "__main__":
    main()
