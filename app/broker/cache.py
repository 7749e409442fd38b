"""What was downloaded once stays: a directory of the user's, shared by every clone on the machine.

An entry is there completely or not at all: it is filled under another name and then renamed. Two processes that want the
same entry wait for each other.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app.broker.errors import BrokerError

DOWNLOAD_SECONDS_MAX = 600


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


def pip_install(directory: Path, *requirements: str) -> None:
    """Installs packages into a directory of their own, outside the project's environment. Raises BrokerError."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-warn-script-location"]
    fetch([*pip, "--root-user-action=ignore", "--target", str(directory), *requirements], f"pip install {' '.join(requirements)}")


def fetch(command: list[str], what: str, environment: Mapping[str, str] | None = None) -> None:
    """Runs a program that downloads; its last line becomes the reason in the BrokerError when it fails."""
    try:
        done = subprocess.run(
            command,
            env=None if environment is None else {**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BrokerError(f"{what}: {error}") from error
    if done.returncode != 0:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        raise BrokerError(f"{what}: {lines[-1] if lines else f'exit code {done.returncode}'}")


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
