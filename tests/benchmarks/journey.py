"""`python -m tests.benchmarks.journey`: the first page of a very long journey beside that of a short one, in one worker, idle.

All events of the long one are of one person, so filling it is a measurement of its own: the hottest person there can be.
"""

import asyncio
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import median

import click

from tests.benchmarks.asking import Waited, asked
from tests.benchmarks.behaviour import linking, of_one
from tests.benchmarks.chain import settle
from tests.benchmarks.machine import OTHERS, Figure
from tests.benchmarks.report import show
from tests.benchmarks.site import broker, employed, port_of, site

SHORT, LONG_PERSON, SHORT_PERSON = 10, 800_001, 800_002
CHUNK = 20_000
"""Events that are written at a time: freezing the worker meanwhile must not cost it its session."""
PAGE = f"?limit={SHORT}"
ROUTES = {
    "GET /v1/journeys/...": "/v1/journeys/anonymous_id/session-{person:06d}" + PAGE,
    "the same, newest first": "/v1/journeys/anonymous_id/session-{person:06d}" + PAGE + "&order=desc",
}
Figures = Mapping[tuple[str, int], Sequence[Waited]]


@click.command()
@click.option("--events", default=100_000, show_default=True, type=click.IntRange(100, 10_000_000), help="Of the long journey.")
@click.option("--seconds", default=4.0, show_default=True, type=click.FloatRange(0.2, 60), help="Of a measurement.")
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1, 20), help="Of which the median counts.")
def main(events: int, seconds: float, runs: int) -> None:
    """Measures how long first pages of ten events take."""
    with tempfile.TemporaryDirectory(prefix="onetrail-bench-") as place, broker(Path(place)) as started:
        filled, figures = asyncio.run(_figures(started.bootstrap, Path(place), events, seconds, runs))
    show("journey", table(filled, figures), ratios(figures), fill_us=[round(one.cpu_us, 1) for one in filled])


async def _figures(bootstrap: str, place: Path, events: int, seconds: float, runs: int) -> tuple[list[Figure], Figures]:
    os.sched_setaffinity(0, OTHERS)
    figures: dict[tuple[str, int], list[Waited]] = defaultdict(list)
    async with site(bootstrap, "bench-journey", place) as (system, _, loader):
        (worker,) = await employed(system)
        short, long = of_one(SHORT, SHORT_PERSON, "short"), of_one(events, LONG_PERSON, "long")
        parts = [linking(CHUNK), short, *(long[first : first + CHUNK] for first in range(0, events, CHUNK))]
        filled = [await settle(system, loader, part) for part in parts]
        people = {SHORT: SHORT_PERSON, events: LONG_PERSON}
        for number, (route, path), (size, person) in product(range(runs), ROUTES.items(), people.items()):
            click.echo(f"run {number + 1} of {runs}, load {os.getloadavg()[0]:.1f}: {route}, {size:,} events", err=True)
            asking = path.format(person=person)
            assert (await system.known(asking))["events"] == size, "not all events are there"
            figures[route, size].append(await asked(port_of(worker), [asking], seconds))
    return filled[2:], figures


def p99(figures: Figures, route: str, size: int) -> float:
    """The median of the runs."""
    return median(one.p99_ms for one in figures[route, size])


def ratios(figures: Figures) -> dict[str, dict[str, float]]:
    """p99 of each longer journey as a multiple of that of the short one."""
    return {
        f"{route}, {size:,} events": {f"a journey of {SHORT}": p99(figures, route, size) / p99(figures, route, SHORT)}
        for route, size in figures
        if size != SHORT
    }


def table(filled: Sequence[Figure], figures: Figures) -> list[str]:
    """Markdown, as README.md has it."""
    lines = [f"| first page of {SHORT} events | p50 | p99 | × a journey of {SHORT}, p99 |", "|---|---|---|---|"]
    for route, size in figures:
        p50 = median(one.p50_ms for one in figures[route, size])
        multiples = ratios(figures).get(f"{route}, {size:,} events", {})
        shown = "".join(f"{multiple:.2f}" for multiple in multiples.values())
        lines.append(f"| {route}, journey of {size:,} events | {p50:.1f} ms | {p99(figures, route, size):.1f} ms | {shown} |")
    first, last = filled[0], filled[-1]
    cost = f"CPU an event of the one person: the first {first.events:,} {first.cpu_us:.1f} us, the last {last.events:,}"
    return [*lines, "", f"{cost} {last.cpu_us:.1f} us; {sum(one.seconds for one in filled):.0f} s for all."]


if __name__ == "__main__":
    main()
