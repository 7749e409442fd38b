"""Programs that download, with the reason of a failure in one sentence."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from app.broker.errors import BrokerError

DOWNLOAD_SECONDS_MAX = 600
REASON_LENGTH_MAX = 200


def pip_install(directory: Path, *requirements: str) -> None:
    """Installs packages into a directory of their own, outside the project's environment. Raises BrokerError."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-compile"]
    fetch([*pip, "--root-user-action=ignore", "--target", str(directory), *requirements], f"pip install {' '.join(requirements)}")


def fetch(command: list[str], what: str, environment: Mapping[str, str] | None = None) -> None:
    """Runs a program that downloads; its last line becomes the reason in the BrokerError when it fails."""
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
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
        raise BrokerError(f"{what}: {lines[-1][:REASON_LENGTH_MAX] if lines else f'exit code {done.returncode}'}")
