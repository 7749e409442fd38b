"""`python -m tests.benchmarks.collector`: the collector, and a bare aiohttp handler that only produces, in the same run.

Each is one process on a core of its own; broker and load share the others. Its CPU is read from /proc at both ends of a
measurement, so that the ratios hold on a busy machine too.
"""

import asyncio
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path

import click

from tests.benchmarks.machine import OTHERS, Figure, cpu_seconds
from tests.benchmarks.posting import posted, requests
from tests.benchmarks.report import middle, show
from tests.benchmarks.site import broker, serving
from tests.ports import LOOPBACK, free_port_pair

PREFIX = "bench-collector"
TOPIC = f"{PREFIX}.behaviour.web"
SHAPES = {"one event a request, 50 connections": (50, 1), "100 events a request, 10 connections": (10, 100)}
"""What is posted: connections, and events of a request."""
OURS_NAME, BARE_NAME = "collector", "baseline: a bare aiohttp handler that only produces"
WARM_SECONDS = 1.0
REQUESTS = 400
Figures = Mapping[tuple[str, str], Sequence[Figure]]


@click.command()
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.5, 60), help="Of a measurement.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1, 20), help="Of which the median counts.")
def main(seconds: float, runs: int) -> None:
    """Measures acknowledged events a second and CPU an event, beside the baseline."""
    with tempfile.TemporaryDirectory(prefix="onetrail-bench-") as place, broker(Path(place)) as started:
        figures = _figures(started.bootstrap, Path(place), seconds, runs)
    show("collector", [table(figures)], ratios(figures))


def _figures(bootstrap: str, place: Path, seconds: float, runs: int) -> Figures:
    """A run measures all of it, so that a slow minute strikes all alike."""
    figures: dict[tuple[str, str], list[Figure]] = defaultdict(list)
    with _running(bootstrap, place) as servers:
        for number, shape, name in product(range(runs), SHAPES, servers):
            click.echo(f"run {number + 1} of {runs}, load {os.getloadavg()[0]:.1f}: {name}, {shape}", err=True)
            figures[shape, name].append(asyncio.run(_measured(*servers[name], shape, seconds)))
    return figures


def table(figures: Figures) -> str:
    """Markdown, as README.md has it."""
    lines = ["| | events/s | CPU an event | × bare handler, CPU | × bare handler, events/s |", "|---|---|---|---|---|"]
    for shape in SHAPES:
        (rate, cpu), (bare_rate, bare_cpu) = middle(figures[shape, OURS_NAME]), middle(figures[shape, BARE_NAME])
        lines.append(f"| {OURS_NAME}: {shape} | {rate:,.0f} | {cpu:.0f} us | {cpu / bare_cpu:.2f} | {rate / bare_rate:.2f} |")
        lines.append(f"| {BARE_NAME}: {shape} | {bare_rate:,.0f} | {bare_cpu:.0f} us |  |  |")
    return "\n".join(lines)


def ratios(figures: Figures) -> dict[str, dict[str, float]]:
    """CPU of an event, as a multiple of the bare handler's."""
    return {shape: {BARE_NAME: middle(figures[shape, OURS_NAME])[1] / middle(figures[shape, BARE_NAME])[1]} for shape in SHAPES}


@contextmanager
def _running(bootstrap: str, place: Path) -> Iterator[dict[str, tuple[int, int]]]:
    """Both servers: name -> process and port. The collector comes first, since it makes the topics."""
    ports = {OURS_NAME: free_port_pair(), BARE_NAME: free_port_pair()}
    own = {"KAFKA": bootstrap, "DATA": str(place), "PREFIX": PREFIX, "COLLECT_PORT": str(ports[OURS_NAME])}
    commands = {
        OURS_NAME: ["app.commands", "collect"],
        BARE_NAME: ["tests.benchmarks.bare_collector", bootstrap, TOPIC, str(ports[BARE_NAME])],
    }
    with ExitStack() as stack:
        pids = {
            name: stack.enter_context(serving(words, f"http://{LOOPBACK}:{ports[name]}/readyz", place / "server.log", own=own))
            for name, words in commands.items()
        }
        yield {name: (pid, ports[name]) for name, pid in pids.items()}


async def _measured(pid: int, port: int, shape: str, seconds: float) -> Figure:
    os.sched_setaffinity(0, OTHERS)
    connections, batch = SHAPES[shape]
    given = requests(REQUESTS, batch)
    await posted(port, connections, given, WARM_SECONDS)
    before = cpu_seconds(pid)
    count, took = await posted(port, connections, given, seconds)
    return Figure(count * batch, took, cpu_seconds(pid) - before)


if __name__ == "__main__":
    main()
