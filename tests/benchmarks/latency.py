"""`python -m tests.benchmarks.latency`: from the collector's acknowledgement until lookups see the event, at a steady rate.

Each event is a request of its own. The worker has a core of its own; collector, broker and load share the others. What is
promised is 200 ms.
"""

import asyncio
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import product
from pathlib import Path
from statistics import median

import click

from tests.benchmarks.behaviour import linking, paced
from tests.benchmarks.chain import settle
from tests.benchmarks.delay import Delay, Watch, delay, watching
from tests.benchmarks.machine import OTHERS
from tests.benchmarks.posting import Poster
from tests.benchmarks.report import quantiles, show
from tests.benchmarks.site import broker, employed, serving, site
from tests.ports import LOOPBACK, free_port_pair
from tests.real.system import System

PREFIX = "bench-latency"
PACES = {200: 12.0, 1_000: 6.0}
"""Events a second -> seconds of it."""
KNOWN = 20_000
PROMISED_MS = 200.0
PROCESSES = ("worker", "collector")
Delays = Mapping[int, Sequence[Delay]]


@click.command()
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1, 20), help="Of which the median counts.")
@click.option("--part", default=1.0, show_default=True, type=click.FloatRange(0.05, 100), help="Of the usual time of a run.")
def main(runs: int, part: float) -> None:
    """Measures the delay, and the CPU of worker and collector meanwhile."""
    with tempfile.TemporaryDirectory(prefix="onetrail-bench-") as place, broker(Path(place)) as started:
        delays = asyncio.run(_delays(started.bootstrap, Path(place), runs, part))
    show("latency", table(delays), ratios(delays), cores={rate: cores(some) for rate, some in delays.items()})


async def _delays(bootstrap: str, place: Path, runs: int, part: float) -> Delays:
    os.sched_setaffinity(0, OTHERS)
    port = free_port_pair()
    own = {"KAFKA": bootstrap, "DATA": str(place / "collector"), "PREFIX": PREFIX, "COLLECT_PORT": str(port)}
    url = f"http://{LOOPBACK}:{port}/readyz"
    async with site(bootstrap, PREFIX, place) as (system, _, loader):
        (worker,) = await employed(system)
        await settle(system, loader, linking(KNOWN))
        collector = serving(["app.commands", "collect"], url, place / "collector.log", OTHERS, own)
        with collector as pid, closing(Poster(port)) as poster:
            async with watching(bootstrap, PREFIX) as watch:
                return await _measured(system, poster, watch, [worker.pid, pid], runs, part)


async def _measured(system: System, poster: Poster, watch: Watch, pids: Sequence[int], runs: int, part: float) -> Delays:
    delays: dict[int, list[Delay]] = defaultdict(list)
    for number, (rate, seconds) in product(range(runs), PACES.items()):
        click.echo(f"run {number + 1} of {runs}, load {os.getloadavg()[0]:.1f}: {rate:,} events/s", err=True)
        events = paced(int(rate * seconds * part), KNOWN, f"run{number}-{rate}")
        delays[rate].append(await delay(poster.send, watch, events, rate, pids))
        await system.settled()
    return delays


def cores(delays: Sequence[Delay]) -> dict[str, float]:
    """The share of a core that each process used, medians."""
    return {name: median(one.cores[place] for one in delays) for place, name in enumerate(PROCESSES)}


def ratios(delays: Delays) -> dict[str, dict[str, float]]:
    """p95 as a part of what is promised."""
    return {f"p95 at {rate:,} events/s": {"promised": quantiles(some)[1] / PROMISED_MS} for rate, some in delays.items()}


def table(delays: Delays) -> list[str]:
    """Markdown, as README.md has it."""
    lines = ["| acknowledged to visible | p50 | p95 | p99 | CPU of the worker | of the collector |", "|---|---|---|---|---|---|"]
    for rate, some in delays.items():
        shown = [f"{quantile:.0f} ms" for quantile in quantiles(some)] + [f"{core:.0%}" for core in cores(some).values()]
        lines.append(f"| at {rate:,} events/s | {' | '.join(shown)} |")
    return lines


if __name__ == "__main__":
    main()
