"""The machine: whose core is whose, and what a process has used of it. Linux only, by /proc and scheduling affinity."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CORES = sorted(os.sched_getaffinity(0))
OURS, OTHERS = {CORES[0]}, set(CORES[1:] or CORES)
"""The core of what is measured; those of the broker and the load."""
TICKS = os.sysconf("SC_CLK_TCK")


class Figure(NamedTuple):
    """What handling so many events took."""

    events: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU an event."""
        return self.cpu_seconds / self.events * 1e6


@contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """Processes and threads that are started meanwhile stay on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """What the process has used so far, all threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int) -> float:
    """The most memory that the process has held so far."""
    peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def measured(module: str, *arguments: object, seconds_max: float = 90.0) -> dict[str, float]:
    """What a module of ours, run on the core of what is measured, writes last: an object of numbers."""
    with on(OURS):
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds_max,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"{module} ended with code {done.returncode}:\n{done.stderr[-3000:]}")
    return {name: float(value) for name, value in json.loads(done.stdout.splitlines()[-1]).items()}
