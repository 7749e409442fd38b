"""Who a broker belongs to: one process at a time, and no broker outlives its owner for long.

On Linux the kernel ends the broker with the thread that started it, provided that it was the main thread, which lives as
long as its process. Elsewhere, and whenever that fails, the next owner of the directory ends what it finds.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from app.broker.errors import BrokerError

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
ORPHAN_SECONDS_MAX = 20
POLL_SECONDS = 0.05


def claim(directory: Path) -> IO[str]:
    """Owns the directory until the file is closed or this process ends, however it ends. Raises BrokerError."""
    lock = (directory / "owner.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        advice = "stop it, or set ONETRAIL_DATA to another directory"
        raise BrokerError(f"another onetrail runs the broker in {directory}; {advice}") from error
    return lock


def die_with_parent() -> Callable[[], None] | None:
    """For `preexec_fn`: SIGTERM for the child when we are gone. None where the kernel cannot, or this thread may end earlier."""
    if not sys.platform.startswith("linux") or threading.current_thread() is not threading.main_thread():
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def end_orphan(pid_file: Path, tag: str) -> None:
    """Ends the process that the file names if `tag` is among its arguments; a number used again by another is left alone."""
    pid = int(text) if pid_file.is_file() and (text := pid_file.read_text().strip()).isdecimal() else 0
    if pid and tag in arguments_of(pid):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + ORPHAN_SECONDS_MAX
        while tag in arguments_of(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(POLL_SECONDS)
    pid_file.unlink(missing_ok=True)


def arguments_of(pid: int) -> str:
    """The command line of a process; empty when there is none of this number."""
    place = Path(f"/proc/{pid}/cmdline")
    if place.exists():
        return place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    if Path("/proc/self").exists():
        return ""
    return subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False).stdout
