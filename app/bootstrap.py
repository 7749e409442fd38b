"""Brings `.venv` up to date: the first thing that every `make` target runs.

Knows the standard library only, for it runs before any package is installed. The environment holds exactly the versions
of docker/requirements.lock and, editable, this project. A stamp in the environment is the hash of all that went into it,
written last: equal means nothing to do, and whatever was interrupted is simply done again. What the machine lacks is
said in one sentence before anything is touched.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Collection, Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("pyproject.toml", "docker/requirements.lock", "app/bootstrap.py")
LOCK = "docker/requirements.lock"
PYTHON_MIN = (3, 11)


class BootstrapError(Exception):
    """One sentence for the person at the keyboard: what is missing and what to do about it."""


def main(arguments: Sequence[str]) -> int:
    """No argument: bring the environment up to date. `lock`: resolve pyproject.toml into the lock file."""
    try:
        demand(sys.version_info[:2], [name for name in ("venv", "ensurepip") if not importlib.util.find_spec(name)])
        if list(arguments) == ["lock"]:
            write_lock(ROOT)
        else:
            bring_up_to_date(ROOT)
    except BootstrapError as error:
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
    """The stamp is that of the present inputs, and the environment's interpreter still runs."""
    stamp = root / ".venv" / "onetrail.stamp"
    return stamp.is_file() and stamp.read_text() == stamp_of(root) and runs(root / ".venv", "-c", "")


def runs(venv: Path, *arguments: str) -> bool:
    """Whether the environment's interpreter does this; our own process running in it is proof that it starts."""
    python = venv / "bin" / "python"
    if arguments == ("-c", "") and Path(sys.prefix) == venv:
        return True
    return python.exists() and subprocess.run([python, *arguments], capture_output=True, check=False).returncode == 0


def bring_up_to_date(root: Path) -> None:
    """Makes or completes `.venv`. Two at once wait for each other; the second finds nothing to do."""
    if is_fresh(root):
        return
    with_lock = os.open(root, os.O_RDONLY)  # the directory itself is the lock: no file to leave behind
    try:
        fcntl.flock(with_lock, fcntl.LOCK_EX)
        if not is_fresh(root):
            install(root)
    finally:
        os.close(with_lock)


def install(root: Path) -> None:
    venv = root / ".venv"
    print("onetrail: bringing .venv up to date (the first time it downloads about 60 MB)", file=sys.stderr)
    if not belongs_here(venv):
        run(base_interpreter(), "-m", "venv", "--clear", venv, failure="the virtual environment could not be made")
    (venv / "onetrail.stamp").unlink(missing_ok=True)
    pip = (venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps")
    run(*pip, "--requirement", root / LOCK, failure="pip could not install the packages; is the network there?")
    run(*pip, "--no-build-isolation", "--editable", root, failure="pip could not install the project itself")
    fresh = venv / "onetrail.stamp.new"
    fresh.write_text(stamp_of(root))
    fresh.replace(venv / "onetrail.stamp")


def belongs_here(venv: Path) -> bool:
    """An environment that was moved, half made or whose Python is gone does not: it is made anew."""
    config = venv / "pyvenv.cfg"
    return config.is_file() and str(venv) in config.read_text() and runs(venv, "-m", "pip", "--version")


def base_interpreter() -> str:
    """The Python that this one was made from: an environment must not rest on the one that it replaces."""
    return str(getattr(sys, "_base_executable", sys.executable))


def run(*command: object, failure: str) -> None:
    if subprocess.run([str(part) for part in command], check=False, stdout=sys.stderr).returncode != 0:
        raise BootstrapError(f"{failure} (what went wrong is above)")


def write_lock(root: Path) -> None:
    """Resolves the direct dependencies of pyproject.toml and writes every exact version, sorted by name."""
    bring_up_to_date(root)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pip = [str(root / ".venv/bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    report = subprocess.run(
        [*pip, "--dry-run", "--ignore-installed", "--report", "-", *wanted], check=False, stdout=subprocess.PIPE
    )
    if report.returncode != 0:
        raise BootstrapError("pip could not resolve the dependencies of pyproject.toml (what went wrong is above)")
    header = "# Every package of the environment with its exact version; written by `make lock` from pyproject.toml.\n"
    (root / LOCK).write_text(header + "".join(f"{line}\n" for line in pinned(json.loads(report.stdout))))


def pinned(report: dict[str, list[dict[str, dict[str, str]]]]) -> Iterator[str]:
    """`name==version` of each package in pip's installation report."""
    packages = [item["metadata"] for item in report["install"]]
    return (f"{item['name'].lower()}=={item['version']}" for item in sorted(packages, key=lambda item: item["name"].lower()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
