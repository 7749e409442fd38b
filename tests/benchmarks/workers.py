"""`python -m tests.benchmarks.workers`: how much more several workers do than one, on the whole machine, broker included.

Nothing is pinned: this is what somebody gets who starts more workers on the machine at hand. On one of two cores, two workers,
the broker and the load already want more than there is.
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

from tests.benchmarks.behaviour import linking, steady
from tests.benchmarks.chain import settle
from tests.benchmarks.machine import Figure
from tests.benchmarks.report import middle, show
from tests.benchmarks.site import ALL, INNER_PARTITIONS, broker, employed, site
from tests.real.system import System

BALANCED_SECONDS_MAX = 60.0
ONE = "one worker"


class Case(NamedTuple):
    """So many workers, and what they are given."""

    workers: int
    load: str


Figures = Mapping[Case, Sequence[Figure]]


@click.command()
@click.option("--events", default=100_000, show_default=True, type=click.IntRange(2_000, 2_000_000), help="Of a measurement.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1, 20), help="Of which the median counts.")
@click.option("--workers", "counts", default="1,2,4", show_default=True, help="Numbers of workers, the first of which is 1.")
def main(events: int, runs: int, counts: str) -> None:
    """Measures events a second and CPU an event of so many workers."""
    figures: dict[Case, list[Figure]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="onetrail-bench-") as place, broker(Path(place), ALL) as started:
        for number, count in product(range(runs), map(int, counts.split(","))):
            click.echo(f"run {number + 1} of {runs}, load {os.getloadavg()[0]:.1f}: {count} workers", err=True)
            prefix = f"bench-{number}-{count}"
            for case, figure in asyncio.run(_measured(started.bootstrap, prefix, Path(place), count, events)).items():
                figures[case].append(figure)
    rates = {f"{case.workers} workers, {case.load}": round(middle(some)[0]) for case, some in figures.items()}
    show("workers", table(figures), ratios(figures), rates=rates)


async def _measured(bootstrap: str, prefix: str, place: Path, count: int, events: int) -> dict[Case, Figure]:
    async with site(bootstrap, prefix, place, spread=INNER_PARTITIONS) as (system, _, loader):
        await employed(system, ALL, count)
        await _balanced(system)
        loads = {"new links": linking(events), "steady": steady(events, known=events)}
        return {Case(count, name): await settle(system, loader, load) for name, load in loads.items()}


async def _balanced(system: System) -> None:
    """Until every worker has its share of partitions."""
    async with asyncio.timeout(BALANCED_SECONDS_MAX):
        while True:
            told = (await system.settled())["workers"]
            if sorted(len(one["partitions"]) for one in told) == [INNER_PARTITIONS // len(system.workers)] * len(system.workers):
                return
            await asyncio.sleep(0.2)


def ratios(figures: Figures) -> dict[str, dict[str, float]]:
    """Time of several workers as a part of that of one, and CPU an event as a multiple."""
    found = {}
    for case, some in figures.items():
        if case.workers > 1:
            (rate, cpu), (rate_of_one, cpu_of_one) = middle(some), middle(figures[Case(1, case.load)])
            found[f"time of {case.workers} workers, {case.load}"] = {ONE: rate_of_one / rate}
            found[f"CPU of {case.workers} workers, {case.load}"] = {ONE: cpu / cpu_of_one}
    return found


def table(figures: Figures) -> list[str]:
    """Markdown, as README.md has it."""
    lines = [
        "| workers | load | events/s | CPU an event | × one worker, events/s | × one worker, CPU |",
        "|---|---|---|---|---|---|",
    ]
    for case, some in figures.items():
        (rate, cpu), (rate_of_one, cpu_of_one) = middle(some), middle(figures[Case(1, case.load)])
        multiples = f"{rate / rate_of_one:.2f} | {cpu / cpu_of_one:.2f}" if case.workers > 1 else " | "
        lines.append(f"| {case.workers} | {case.load} | {rate:,.0f} | {cpu:.1f} us | {multiples} |")
    return lines


if __name__ == "__main__":
    main()
