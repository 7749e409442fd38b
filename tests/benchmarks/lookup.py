"""`python -m tests.benchmarks.lookup`: `GET /v1/identities/...`, beside an aiohttp handler that answers with a constant.

Both are asked by one client over one connection, one question after the other, idle and while the worker handles so many
events a second. Worker and baseline share a core; broker, load and client share the others.
"""

import asyncio
import json
import os
import random
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median

import click

from tests.benchmarks.asking import Waited, asked
from tests.benchmarks.behaviour import EVENTS_PER_PERSON, linking
from tests.benchmarks.chain import settle
from tests.benchmarks.machine import OTHERS
from tests.benchmarks.report import show
from tests.benchmarks.site import broker, employed, load_on, port_of, serving, site
from tests.ports import LOOPBACK, free_port_pair
from tests.real.system import System

OURS_NAME, BASE_NAME = "GET /v1/identities/...", "baseline: an aiohttp handler that answers with a constant"
IDLE = "idle"
KNOWN = 20_000
ASKED = 500
SETTLING_SECONDS = 3.0
Figures = Mapping[tuple[str, str], Sequence[Waited]]


@click.command()
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.2, 60), help="Of a measurement.")
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1, 20), help="Of which the median counts.")
@click.option("--rate", default=1_000, show_default=True, type=click.IntRange(1, 10_000), help="Events a second, when busy.")
def main(seconds: float, runs: int, rate: int) -> None:
    """Measures how long an answer takes, idle and busy, beside the baseline."""
    with tempfile.TemporaryDirectory(prefix="onetrail-bench-") as place, broker(Path(place)) as started:
        figures = asyncio.run(_figures(started.bootstrap, Path(place), seconds, runs, rate))
    show("lookup", table(figures), ratios(figures))


async def _figures(bootstrap: str, place: Path, seconds: float, runs: int, rate: int) -> Figures:
    os.sched_setaffinity(0, OTHERS)
    async with site(bootstrap, "bench-lookup", place) as (system, _, loader):
        (worker,) = await employed(system)
        await settle(system, loader, linking(KNOWN))
        sample = random.Random(1).choices(range(KNOWN // EVENTS_PER_PERSON), k=ASKED)
        paths = [f"/v1/identities/anonymous_id/session-{person:06d}" for person in sample]
        size, port = len(json.dumps(await system.known(paths[0]))), free_port_pair()
        words = ["tests.benchmarks.bare_web", str(port), str(size)]
        with serving(words, f"http://{LOOPBACK}:{port}/", place / "constant.log"):
            ask = partial(_asked, {OURS_NAME: port_of(worker), BASE_NAME: port}, paths, seconds)
            return await _measured(system, place, ask, runs, rate)


Ask = Callable[[], Awaitable[dict[str, Waited]]]


async def _asked(ports: Mapping[str, int], paths: Sequence[str], seconds: float) -> dict[str, Waited]:
    return {name: await asked(port, paths, seconds) for name, port in ports.items()}


async def _measured(system: System, place: Path, ask: Ask, runs: int, rate: int) -> Figures:
    figures: dict[tuple[str, str], list[Waited]] = defaultdict(list)
    for number, busy in product(range(runs), (0, rate)):
        click.echo(f"run {number + 1} of {runs}, load {os.getloadavg()[0]:.1f}: {when(busy)}", err=True)
        with load_on(system, place, busy, KNOWN, f"run{number}") if busy else nullcontext():
            await asyncio.sleep(SETTLING_SECONDS if busy else 0)
            for name, waited in (await ask()).items():
                figures[when(busy), name].append(waited)
        await system.settled()
    return figures


def when(rate: int) -> str:
    """The name of a load."""
    return f"under {rate:,} events/s" if rate else IDLE


def p99(figures: Figures, load: str, name: str) -> float:
    """The median of the runs."""
    return median(one.p99_ms for one in figures[load, name])


def ratios(figures: Figures) -> dict[str, dict[str, float]]:
    """p99 as a multiple of the baseline's under the same load."""
    loads = dict.fromkeys(load for load, _ in figures)
    return {load: {BASE_NAME: p99(figures, load, OURS_NAME) / p99(figures, load, BASE_NAME)} for load in loads}


def table(figures: Figures) -> list[str]:
    """Markdown, as README.md has it."""
    lines = ["| | p50 | p99 | × baseline, p99 |", "|---|---|---|---|"]
    for load, name in figures:
        p50 = median(one.p50_ms for one in figures[load, name])
        multiple = f"{ratios(figures)[load][BASE_NAME]:.1f}" if name == OURS_NAME else ""
        lines.append(f"| {name}, {load} | {p50:.1f} ms | {p99(figures, load, name):.1f} ms | {multiple} |")
    return lines


if __name__ == "__main__":
    main()
