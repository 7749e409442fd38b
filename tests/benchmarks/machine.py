"""The machine: whose core is whose, and what a process has used of it. Linux only, by /proc and scheduling affinity."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
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
    return _used(Path(f"/proc/{pid}/stat"))


def store_seconds(pid: int) -> float:
    """What RocksDB's own threads in it have used: they flush and compact."""
    threads = [task for task in Path(f"/proc/{pid}/task").iterdir() if (task / "comm").read_text().startswith("rocksdb")]
    return sum(_used(task / "stat") for task in threads)


def _used(stat: Path) -> float:
    """Seconds of a process or thread, user and system; proc(5)."""
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int, which: str = "VmHWM") -> float:
    """The most memory that the process has held so far; with `VmRSS`, what it holds now."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024


def disk_bytes(files: Iterable[Path]) -> int:
    """What files take; one that goes away meanwhile takes nothing."""
    size = 0
    for file in files:
        with suppress(FileNotFoundError):
            size += file.stat().st_size if file.is_file() else 0
    return size


def measured(module: str, *arguments: object, seconds_max: float = 90.0) -> dict[str, float]:
    """What a module of ours, run on the core of what is measured, writes last: an object of numbers."""
    with on(OURS):
        told = ran(module, [sys.executable, "-m", module, *map(str, arguments)], seconds_max)
    return {name: float(value) for name, value in json.loads(told.splitlines()[-1]).items()}


def ran(name: str, words: Sequence[str], seconds_max: float) -> str:
    """What a command writes; RuntimeError, with the end of its complaints, for one that fails."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=seconds_max, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name} ended with code {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout
