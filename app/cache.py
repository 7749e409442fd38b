"""What was downloaded once stays: a directory of the user's, shared by every clone on the machine.

An entry is there completely or not at all: it is filled under another name and then renamed. Two processes that want the
same entry wait for each other. Knows the standard library only: it serves app/bootstrap.py too, before anything is installed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def cache_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME/onetrail`, or `~/.cache/onetrail`."""
    base = environment.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "onetrail"


def obtain(entry: Path, fill: Callable[[Path], None]) -> Path:
    """The entry, made by `fill(empty directory)` if it is not there yet; if `fill` raises, nothing is left."""
    if entry.is_dir():
        return entry
    entry.parent.mkdir(parents=True, exist_ok=True)
    with _alone(entry.with_name(f"{entry.name}.lock")):
        if not entry.is_dir():
            _fill_and_rename(entry, fill)
    return entry


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fill_and_rename(entry: Path, fill: Callable[[Path], None]) -> None:
    unfinished = entry.with_name(f"{entry.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        fill(unfinished)
        unfinished.rename(entry)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
