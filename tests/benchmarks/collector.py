"""`python -m tests.benchmarks.collector`: the collector, and a bare aiohttp handler that only produces, in the same run.

Each is one process on a core of its own; broker and load share the others. Its CPU is read from /proc at both ends of a
measurement, so that the ratios hold on a busy machine too.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import click

from app.broker import Broker
from tests.benchmarks.machine import OTHERS, OURS, ROOT, Figure, cpu_seconds, on
from tests.benchmarks.posting import posted, requests
from tests.benchmarks.report import middle
from tests.real.conftest import LOOPBACK, free_port_pair

PREFIX = "bench-collector"
TOPIC = f"{PREFIX}.behaviour.web"
SHAPES = {"one event a request, 50 connections": (50, 1), "100 events a request, 10 connections": (10, 100)}
"""What is posted: connections, and events of a request."""
OURS_NAME, BARE_NAME = "collector", "baseline: a bare aiohttp handler that only produces"
UP_SECONDS_MAX, WARM_SECONDS = 60.0, 1.0
REQUESTS = 400
Figures = Mapping[tuple[str, str], Sequence[Figure]]


@click.command()
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.5, 60), help="Of a measurement.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1, 20), help="Of which the median counts.")
def main(seconds: float, runs: int) -> None:
    """Measures acknowledged events a second and CPU an event, beside the baseline."""
    with tempfile.TemporaryDirectory(prefix="onetrail-bench-") as place:
        broker = Broker(LOOPBACK, free_port_pair(), Path(place))
        with on(OTHERS):
            broker.start()
        try:
            click.echo(table(_figures(broker.bootstrap, Path(place), seconds, runs)))
        finally:
            broker.stop()


def _figures(bootstrap: str, place: Path, seconds: float, runs: int) -> Figures:
    """A run measures all of it, so that a slow minute strikes all alike."""
    figures: dict[tuple[str, str], list[Figure]] = defaultdict(list)
    with on(OURS), _running(bootstrap, place) as servers:
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


@contextmanager
def _running(bootstrap: str, place: Path) -> Iterator[dict[str, tuple[int, int]]]:
    """Both servers: name -> process and port. The collector comes first, since it makes the topics."""
    ports = {OURS_NAME: free_port_pair(), BARE_NAME: free_port_pair()}
    own = {"KAFKA": bootstrap, "DATA": str(place), "PREFIX": PREFIX, "COLLECT_PORT": str(ports[OURS_NAME])}
    commands = {
        OURS_NAME: ["app.commands", "collect"],
        BARE_NAME: ["tests.benchmarks.bare_collector", bootstrap, TOPIC, str(ports[BARE_NAME])],
    }
    environment = os.environ | {f"ONETRAIL_{name}": value for name, value in own.items()}
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, words in commands.items():
            with (place / "server.log").open("ab") as log:
                command = [sys.executable, "-m", *words]
                processes[name] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            _until_up(f"http://{LOOPBACK}:{ports[name]}/readyz")
        yield {name: (process.pid, ports[name]) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGKILL)
            process.wait()


def _until_up(url: str) -> None:
    end = time.monotonic() + UP_SECONDS_MAX
    while time.monotonic() < end:
        try:
            with urlopen(url, timeout=5):
                return
        except (HTTPError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"nobody answers at {url}")


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
