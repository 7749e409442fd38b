"""What is done about a child that ends: started again, later each time, and given up when it is hopeless."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.runtime.durable import EXIT_FENCED
from app.supervisor import Child, Death, KeepsDying, Supervisor, pause

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.mark.parametrize(
    ("deaths", "now", "wanted"),
    [
        ([(0, 1)], 0, 0.5),
        ([(0, 1), (1, 1)], 1, 1.0),
        ([(0, 1), (1, 1), (2, 1), (3, 1)], 3, 4.0),
        ([(0, 1), (1, 1), (2, 1), (3, 1), (59, 1)], 59, None),
        ([(0, 1), (1, 1), (2, 1), (3, 1), (60, 1)], 60, 4.0),
        ([(0, 1)] * 40 + [(100, 1)], 100, 0.5),
        ([(0, EXIT_FENCED)], 0, 0.0),
        ([(0, EXIT_FENCED)] * 5, 0, None),
        ([(0, -9)] * 5, 0, 8.0),
        ([(0, -9)] * 40 + [(1, 1)] * 5, 1, None),
        ([(0, 0)] * 5, 0, None),
    ],
)
def test_the_pause_before_the_next_start(deaths: list[tuple[float, int]], now: float, wanted: float | None) -> None:
    assert pause([Death(*death) for death in deaths], now) == wanted


class FakeMember:
    """Ends with the codes of its script, one at each start, then keeps running."""

    def __init__(self, name: str, log: Path, *codes: int) -> None:
        self.name, self.log = name, log
        self._codes = [*codes]
        self._code: int | None = None
        self.history: list[str] = []

    def start(self) -> None:
        self.history.append("start")
        self._code = self._codes.pop(0) if self._codes else None

    def exit_code(self) -> int | None:
        return self._code

    def ask_to_end(self) -> None:
        self.history.append("ask")

    def end(self) -> None:
        self.history.append("end")


async def watched(supervisor: Supervisor, seconds: float) -> None:
    """Raises what the watch raises within this time."""
    try:
        await asyncio.wait_for(supervisor.watch(), seconds)
    except TimeoutError:
        return


async def test_a_fenced_member_is_started_again_at_once_and_told_of(tmp_path: Path) -> None:
    said: list[str] = []
    member = FakeMember("worker-0", tmp_path / "log", EXIT_FENCED)
    supervisor = Supervisor(said.append)
    supervisor.start(member)
    await watched(supervisor, 0.05)
    assert member.history == ["start", "start"]
    assert "started again at once" in said[0]
    assert "fenced by another owner" in (tmp_path / "log").read_text()


async def test_a_member_that_failed_waits_for_its_next_start(tmp_path: Path) -> None:
    member = FakeMember("worker-0", tmp_path / "log", 1)
    supervisor = Supervisor(lambda _: None)
    supervisor.start(member)
    await watched(supervisor, 0.2)
    assert member.history == ["start"]
    await watched(supervisor, 0.6)
    assert member.history == ["start", "start"]


async def test_a_member_that_keeps_dying_ends_the_watch_with_its_log(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda _: None)
    supervisor.start(FakeMember("worker-0", tmp_path / "log", *[EXIT_FENCED] * 9))
    with pytest.raises(KeepsDying, match=rf"worker-0 .* its log is {tmp_path}/log"):
        await watched(supervisor, 5)


def test_groups_end_in_reverse_and_their_members_together(tmp_path: Path) -> None:
    history: list[str] = []
    broker, one, two = (FakeMember(name, tmp_path / "log") for name in ("broker", "one", "two"))
    for member in (broker, one, two):
        member.history = history
    supervisor = Supervisor(lambda _: None)
    supervisor.start(broker)
    supervisor.start(one, two)
    history.clear()
    supervisor.stop()
    supervisor.stop()
    assert history == ["ask", "ask", "end", "end", "ask", "end"]


def test_a_child_writes_its_log_and_ends_by_a_signal(tmp_path: Path) -> None:
    child = Child(
        "echo", (sys.executable, "-c", "import os; print(os.environ['WORD'])"), {"WORD": "hello"}, tmp_path / "logs" / "echo"
    )
    child.start()
    assert wait_for_code(child) == 0
    assert child.log.read_text() == "hello\n"
    sleeper = Child("sleep", SLEEP, os.environ, tmp_path / "sleep")
    sleeper.end()
    sleeper.start()
    assert sleeper.exit_code() is None
    sleeper.end()
    assert sleeper.exit_code() == -signal.SIGTERM


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.supervisor.STOP_SECONDS_MAX", 0.1)
    child = Child("deaf", (sys.executable, "-c", DEAF), os.environ, tmp_path / "log")
    child.start()
    while not child.log.read_text():
        time.sleep(0.01)
    child.end()
    assert child.exit_code() == -signal.SIGKILL


def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.supervisor.LOG_BYTES_MAX", 3)
    (tmp_path / "log").write_text("long")
    child = Child("true", ("true",), os.environ, tmp_path / "log")
    child.start()
    assert wait_for_code(child) == 0
    assert (tmp_path / "log.1").read_text() == "long"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel of Linux does it")
def test_children_die_with_their_killed_supervisor(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys, time\nfrom app.supervisor import Child\n"
        "child = Child('sleep', (sys.executable, '-c', 'import time; time.sleep(60)'), os.environ, pathlib.Path(sys.argv[1]))\n"
        "child.start()\nprint(child.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = Path("/proc") / parent.stdout.readline().strip()
        assert child.exists()
        parent.kill()
    end = time.monotonic() + 5
    while is_alive(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_alive(child)


def is_alive(process: Path) -> bool:
    """A zombie that nobody collects is not."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_code(child: Child) -> int:
    end = time.monotonic() + 10
    while (code := child.exit_code()) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    return code
