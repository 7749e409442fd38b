"""SDKs of other makers, for tests: no dependency of ours, installed once with exact versions into the user's cache."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cache import cache_directory, obtain


def installed(language: str, packages: tuple[str, ...], install: Callable[[Path], None]) -> Path:
    """The directory into which `install` put these packages, now or earlier."""
    name = f"{language}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}"
    return obtain(cache_directory() / "sdks" / name, install)


def node_modules(packages: tuple[str, ...]) -> Path:
    """The directory of these packages of npm; the test is skipped where there is no npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not installed")

    def install(directory: Path) -> None:
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(directory)]
        subprocess.run([*npm, *packages], check=True)

    return installed("node", packages, install) / "node_modules"
