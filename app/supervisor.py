"""The processes that `onetrail up` starts: started in order, started again when they end, stopped in reverse.

A child that ends is started again after a pause that grows; one that was fenced at once, for that is how two owners of a
partition part. One that ends five times within a minute is given up, and all of it with it: somebody must read its log. So is
one that finds a state that is not for it. A kill from outside (SIGKILL) never counts as a fault of the child. On Linux the kernel
kills the children of a supervisor that is killed itself, so nothing stays behind that holds a port or a table; their state is
made for that.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Never, Protocol

from app.runtime.durable import EXIT_FENCED, EXIT_STUCK, EXIT_UNUSABLE

DEATHS_MAX, DEATHS_SECONDS = 5, 60.0
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 0.5, 8.0
STOP_SECONDS_MAX = 10.0
POLL_SECONDS = 0.1
LOG_BYTES_MAX = 32 << 20
SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>


class Death(NamedTuple):
    """When a child was found dead (monotonic seconds) and its exit code; -n = by signal n."""

    at: float
    code: int


class KeepsDying(Exception):
    """A child that is not worth starting again; the message names its log."""


def pause(deaths: Sequence[Death], now: float) -> float | None:
    """Seconds to wait after the last of these deaths before the next start; None = no more."""
    if deaths[-1].code == EXIT_UNUSABLE:
        return None
    recent = [death for death in deaths if now - death.at < DEATHS_SECONDS]
    if sum(death.code != -signal.SIGKILL for death in recent) >= DEATHS_MAX:
        return None
    if deaths[-1].code == EXIT_FENCED:
        return 0.0
    return min(PAUSE_SECONDS * 2.0 ** (len(recent) - 1), PAUSE_SECONDS_MAX)


def described(code: int) -> str:
    """An exit code in words."""
    if code == EXIT_FENCED:
        return f"code {code}: it could not go on safely, most likely fenced by another owner of a partition"
    if code == EXIT_UNUSABLE:
        return f"code {code}: its state is not for this version of the program"
    if code == EXIT_STUCK:
        return f"code {code}: it made no progress; the last line of its log says what it waited for"
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"code {code}"


class Member(Protocol):
    """Something that runs until it is told to end."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    def start(self) -> None:
        """Starts it, also after it ended."""

    def exit_code(self) -> int | None:
        """None while it runs."""

    def ask_to_end(self) -> None:
        """Returns at once. Nothing happens if it does not run."""

    def end(self) -> None:
        """Returns when it is gone, in bounded time."""


class Child:
    """A program in a process group of its own (Ctrl-C is for us), its output in a log file."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The number of its process, None before the first start."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Only from the main thread: the kernel ends a child with the thread that started it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_die_with_parent(),
            )

    def exit_code(self) -> int | None:
        """None while it runs."""
        assert self._process is not None, "started before it is watched"
        return self._process.poll()

    def ask_to_end(self) -> None:
        """SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def end(self) -> None:
        """Waits; after 10 s it is killed."""
        self.ask_to_end()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS_MAX)
            self._process.kill()
            self._process.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """For `preexec_fn`: SIGKILL for the child when we are gone; it is looked up here, for after a fork is no time to load."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:  # gone before we could ask
            os._exit(1)

    return arrange


class Supervisor:
    """Keeps members running. `say` is told, in one line, of every end and every start again."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._groups: list[tuple[Member, ...]] = []
        self._deaths: dict[str, list[Death]] = {}
        self._due: dict[str, float] = {}

    def start(self, *members: Member) -> None:
        """Starts members that end together, before all that were started earlier."""
        self._groups.append(members)
        for member in members:
            member.start()

    def stop(self) -> None:
        """Ends all of them: the last group first, the members of a group at the same time."""
        while self._groups:
            group = self._groups.pop()
            for member in group:
                member.ask_to_end()
            for member in group:
                member.end()

    async def watch(self) -> Never:
        """Starts again what ended. Raises KeepsDying, and what a member's start raises."""
        while True:
            for member in [member for group in self._groups for member in group]:
                self._tend(member, time.monotonic())
            await asyncio.sleep(POLL_SECONDS)

    def _tend(self, member: Member, now: float) -> None:
        code = member.exit_code()
        if code is None:
            return
        if member.name not in self._due:
            self._due[member.name] = now + self._mourn(member, Death(now, code))
        if now >= self._due[member.name]:
            del self._due[member.name]
            member.start()

    def _mourn(self, member: Member, death: Death) -> float:
        """Seconds until the next start."""
        deaths = self._deaths.setdefault(member.name, [])
        deaths.append(death)
        seconds = pause(deaths, death.at)
        if seconds is None:
            raise KeepsDying(f"{member.name} ends again and again ({described(death.code)}); its log is {member.log}")
        when = f"in {seconds:g} s" if seconds else "at once"
        line = f"{member.name} ended ({described(death.code)}) and is started again {when}"
        with member.log.open("a") as log:
            log.write(f"onetrail: {line}\n")
        self._say(f"{line}; its log is {member.log}")
        return seconds
