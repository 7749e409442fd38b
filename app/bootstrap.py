"""Brings `.venv` up to date: the first thing that every `make` target runs.

Knows the standard library only, for it runs before any package is installed, and no syntax that an old Python would not
read: it has to be able to say that the Python is too old. The environment holds exactly the versions
of docker/requirements.lock and, editable, this project. A stamp in the environment is the hash of all that went into it,
written last: equal means nothing to do, and whatever was interrupted is simply done again. What the machine lacks is
said in one sentence before anything is touched.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from app.cache import cache_directory

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("pyproject.toml", "docker/requirements.lock", "app/bootstrap.py")
LOCK = "docker/requirements.lock"
PYTHON_MIN = (3, 11)


class BootstrapError(Exception):
    """One sentence for the person at the keyboard: what is missing and what to do about it."""


def main() -> int:
    """Exit code 1 and one sentence if something is missing."""
    try:
        demand(sys.version_info[:2], [name for name in ("venv", "ensurepip") if not importlib.util.find_spec(name)])
        bring_up_to_date(ROOT)
    except (BootstrapError, OSError) as error:
        print(f"onetrail: {error}", file=sys.stderr)
        return 1
    return 0


def demand(version: tuple[int, int], missing_modules: Collection[str]) -> None:
    """Raises BootstrapError when this Python cannot make the environment."""
    if version < PYTHON_MIN:
        found = ".".join(map(str, version))
        raise BootstrapError(
            f"Python 3.11 or later is needed, this is {found}; install it: sudo apt install python3.11 python3.11-venv"
        )
    if missing_modules:
        package = f"python{version[0]}.{version[1]}-venv"
        raise BootstrapError(f"this Python lacks {' and '.join(missing_modules)}; install: sudo apt install {package}")


def stamp_of(root: Path) -> str:
    """The hash of all that decides what the environment holds, its place included: scripts in it name their interpreter."""
    digest = hashlib.sha256(str(root).encode())
    for name in INPUTS:
        content = (root / name).read_bytes()
        digest.update(b"%s %d\n" % (name.encode(), len(content)) + content)
    return digest.hexdigest()


def is_fresh(root: Path) -> bool:
    """The stamp is that of the present inputs, and the environment's interpreter runs: as it does when it is our own."""
    venv = root / ".venv"
    stamp = venv / "onetrail.stamp"
    unchanged = stamp.is_file() and stamp.read_text() == stamp_of(root)
    return unchanged and (Path(sys.prefix) == venv or succeeds(venv / "bin" / "python", "-c", ""))


def bring_up_to_date(root: Path) -> None:
    """Makes or completes `.venv`. Two at once wait for each other; the second finds nothing to do."""
    if is_fresh(root):
        return
    held = os.open(root, os.O_RDONLY)  # the directory itself is the lock: no file to leave behind
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not is_fresh(root):
            install(root)
    finally:
        os.close(held)


def install(root: Path) -> None:
    """Makes the environment or brings it up to date; the stamp is written last. Raises BootstrapError."""
    venv = root / ".venv"
    print("onetrail: bringing .venv up to date (the first time it downloads about 120 MB)", file=sys.stderr)
    if not belongs_here(venv):
        run(base_interpreter(), "-m", "venv", "--clear", venv, failure="the virtual environment could not be made")
    (venv / "onetrail.stamp").unlink(missing_ok=True)
    pip = (venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    install_packages(pip, root / LOCK, cache_directory() / "wheels")
    project = ("install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", root)
    run(*pip, *project, failure="pip could not install the project itself")
    fresh = venv / "onetrail.stamp.new"
    fresh.write_text(stamp_of(root))
    fresh.replace(venv / "onetrail.stamp")


def install_packages(pip: Sequence[object], lock: Path, wheels: Path) -> None:
    """From the wheels that this machine has, without the network if they are all there; new ones are kept for the next clone."""
    kept = (*pip, "install", "--quiet", "--no-deps", "--no-compile", "--no-index", "--find-links", wheels, "--requirement", lock)
    if wheels.is_dir() and succeeds(*kept):
        return
    wheels.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wheels) as unfinished:
        wheel = (*pip, "wheel", "--quiet", "--no-deps", "--find-links", wheels, "--wheel-dir", unfinished, "--requirement", lock)
        run(*wheel, failure="pip could not download the packages; is the network there?")
        for made in Path(unfinished).iterdir():
            made.replace(wheels / made.name)
    run(*kept, failure="pip could not install the packages")


def belongs_here(venv: Path) -> bool:
    """An environment that was moved, half made or whose Python is gone does not: it is made anew."""
    config = venv / "pyvenv.cfg"
    made_here = config.is_file() and any(line.endswith(f" {venv}") for line in config.read_text().splitlines())
    return made_here and succeeds(venv / "bin" / "python", "-m", "pip", "--version")


def base_interpreter() -> str:
    """The Python that this one was made from: an environment must not rest on the one that it replaces."""
    return str(getattr(sys, "_base_executable", sys.executable))


def succeeds(*command: object) -> bool:
    """Whether a program is there and content; it says nothing."""
    try:
        return subprocess.run([str(part) for part in command], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run(*command: object, failure: str) -> None:
    """Runs a command, its output on standard error. Raises BootstrapError, which begins with `failure`."""
    if subprocess.run([str(part) for part in command], check=False, stdout=sys.stderr).returncode != 0:
        raise BootstrapError(f"{failure} (what went wrong is above)")


if __name__ == "__main__":
    sys.exit(main())
