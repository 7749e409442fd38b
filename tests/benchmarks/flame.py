"""Flame graphs of where the time goes, by a sampler that looks at processes from outside and so slows nothing that is measured.

The stages alone run as a child of the sampler, which needs no rights. A worker is looked at while it drains its topics, which
needs the right to trace other processes of the same user; where the machine forbids that, there is one graph less.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tests.benchmarks.behaviour import linking, steady
from tests.benchmarks.chain import settle
from tests.benchmarks.machine import OTHERS, ROOT, ran
from tests.benchmarks.site import broker, employed, site

GRAPHS = Path(".bench")
STAGES, WORKER = GRAPHS / "flame-stages.svg", GRAPHS / "flame-worker.svg"
SECONDS_MAX = 300.0
_record = [str(Path(sys.executable).with_name("py-spy")), "record", "--rate", "200", "--nonblocking", "--format", "flamegraph"]


def of_stages(events: int, data: Path) -> Path:
    """Of the stages alone, without Kafka."""
    GRAPHS.mkdir(exist_ok=True)
    words = [sys.executable, "-m", "tests.benchmarks.stages", str(events), str(data)]
    ran("the sampler", [*_record, "--output", str(STAGES), "--", *words], SECONDS_MAX)
    return STAGES


def of_worker(events: int, place: Path) -> Path | None:
    """Of a worker that drains its topics in steady state; None where processes may not be traced."""
    GRAPHS.mkdir(exist_ok=True)
    WORKER.unlink(missing_ok=True)
    with broker(place) as started:
        asyncio.run(_sampled(started.bootstrap, place, events))
    return WORKER if WORKER.exists() else None


async def _sampled(bootstrap: str, place: Path, events: int) -> None:
    os.sched_setaffinity(0, OTHERS)
    async with site(bootstrap, "bench-flame", place) as (system, _, loader):
        (worker,) = await employed(system)
        await settle(system, loader, linking(events))
        with _sampling(worker.pid):
            await settle(system, loader, steady(events, known=events))


@contextmanager
def _sampling(pid: int) -> Iterator[None]:
    """Samples a process meanwhile; the graph is written when it is interrupted."""
    sampler = subprocess.Popen(
        [*_record, "--threads", "--output", str(WORKER), "--pid", str(pid)], cwd=ROOT, stderr=subprocess.PIPE
    )
    try:
        yield
    finally:
        sampler.send_signal(signal.SIGINT)
        _, told = sampler.communicate(timeout=SECONDS_MAX)
        if sampler.returncode != 0:
            click.echo(f"no graph of the worker: {told.decode(errors='replace').strip()[-500:]}", err=True)
