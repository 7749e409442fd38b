"""`onetrail up` as its user sees it: one command, what it prints, and what is left after a kill at any moment."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app import demo
from app.broker import Broker
from app.cache import cache_directory
from tests.ports import LOOPBACK, free_port_pair

READY_SECONDS_MAX = 120
STOP_SECONDS_MAX = 45
GONE_SECONDS_MAX = 30


class Up:
    """A running `onetrail up`; `lines` is what it has written so far to standard output."""

    def __init__(self, data: Path, env: dict[str, str], *arguments: str) -> None:
        self.data, self._out = data, data.parent / "out"
        command = [sys.executable, "-P", "-m", "app.commands", "up", *arguments]
        with self._out.open("w") as out, (data.parent / "err").open("a") as err:
            self.process = subprocess.Popen(
                command, env=os.environ | env, stdout=out, stderr=err, process_group=0, cwd=elsewhere(data)
            )

    @property
    def lines(self) -> list[str]:
        return [line for line in self._out.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def said(self, start: str) -> list[str]:
        """The rest of every line that starts so."""
        return [line.removeprefix(start).strip() for line in self.lines if line.startswith(start)]

    def wait(self, done: Callable[[], object]) -> None:
        end = time.monotonic() + READY_SECONDS_MAX
        while not done():
            assert self.process.poll() is None, f"it ended: {(self.data.parent / 'err').read_text()}"
            assert time.monotonic() < end, f"too slow: {self.lines}"
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        self.wait(lambda: "ready\n" in self.lines and len(self.said("try: ")) >= 3)

    def ask(self, path: str) -> Any:
        return json.loads(answer(f"{self.said('worker: ')[0]}{path}", self.said("read token: ")[0]))

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS_MAX)


def elsewhere(data: Path) -> Path:
    """A working directory with an `app` of somebody else."""
    (data.parent / "elsewhere" / "app").mkdir(parents=True, exist_ok=True)
    (data.parent / "elsewhere" / "app" / "__init__.py").write_text("raise ImportError('not this one')")
    return data.parent / "elsewhere"


def answer(url: str, token: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(response.read(), "utf-8")


def processes_of(data: Path) -> dict[int, str]:
    """Those whose environment or arguments name the directory; number -> arguments."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            environ, arguments = (place / "environ").read_bytes(), (place / "cmdline").read_bytes()
        except OSError:
            continue
        if str(data).encode() in environ + arguments and arguments:
            found[int(place.name)] = arguments.replace(b"\0", b" ").decode()
    return found


def gone(data: Path) -> bool:
    """Whether the last of them is gone within moments: Kafka closes its files."""
    end = time.monotonic() + GONE_SECONDS_MAX
    while processes_of(data) and time.monotonic() < end:
        time.sleep(0.05)
    return not processes_of(data)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    ports = {"COLLECT_PORT": free_port_pair(), "WEB_PORT": free_port_pair(), "BROKER_PORT": free_port_pair()}
    return {f"ONETRAIL_{name}": str(value) for name, value in {"DATA": tmp_path / "data", "HOST": LOOPBACK, **ports}.items()}


@contextmanager
def running(env: dict[str, str], *arguments: str) -> Iterator[Up]:
    up = Up(Path(env["ONETRAIL_DATA"]), env, *arguments)
    try:
        yield up
    finally:
        up.process.kill()
        up.process.wait()
        assert gone(up.data)


def test_the_demo_is_there_once_though_everything_was_killed(env: dict[str, str]) -> None:
    with running(env, "--demo") as up:
        up.wait(lambda: up.said("write key: "))
    with running(env, "--demo", "--workers", "2") as up:
        up.wait(lambda: up.said("write key: "))
        kill(up.data, r"-A app\.main worker")
        up.wait_until_ready()
        assert up.ask("/v1/status")["events"] == demo.ROWS
        assert up.stop(signal.SIGINT) == 0
        assert gone(up.data)
    with running(env, "--demo") as up:
        up.wait_until_ready()
        assert f"demo: all {demo.ROWS:,} events were sent earlier\n" in up.lines
        expect_all_lines(up, env)
        expect_the_shown_customer(up)
        assert up.stop(signal.SIGTERM) == 0


def kill(data: Path, pattern: str) -> None:
    """One process of these arguments."""
    victim = next(number for number, arguments in processes_of(data).items() if re.search(pattern, arguments))
    os.kill(victim, signal.SIGKILL)


def expect_all_lines(up: Up, env: dict[str, str]) -> None:
    web = f"http://{LOOPBACK}:{env['ONETRAIL_WEB_PORT']}"
    assert up.said("collector: ") == [f"http://{LOOPBACK}:{env['ONETRAIL_COLLECT_PORT']}"]
    assert (up.said("worker: "), up.said("console: "), up.said("write key: ")) == ([web], [f"{web}/console/"], ["dev-web"])
    for line in up.said("try: "):
        curl, header, authorization, url = shlex.split(line)
        assert (curl, header) == ("curl", "-H")
        assert answer(url, authorization.removeprefix("Authorization: Bearer "))


def expect_the_shown_customer(up: Up) -> None:
    """As much as the data set itself says about the sessions that the customer is known by."""
    rows = [json.loads(event.value) for event in demo.events(demo.data_set(cache_directory()))]
    sessions = {row["identifiers"]["anonymous_id"] for row in rows if row["identifiers"].get("user_id") == demo.SHOWN_USER}
    wanted = sorted((r["occurred_at"], r["event_id"]) for r in rows if r["identifiers"]["anonymous_id"] in sessions)
    answers = [up.ask(f"/v1/journeys/{path}?limit=1000") for path in journeys_of(demo.SHOWN_USER, *sessions)]
    assert {answer["unified_user_id"] for answer in answers} == {answers[0]["unified_user_id"]}
    assert [(i["occurred_at"].replace(".000", ""), i["event_id"]) for i in answers[0]["items"]] == wanted


def journeys_of(user: str, *sessions: str) -> list[str]:
    return [f"user_id/{user}", *(f"anonymous_id/{session}" for session in sessions)]


def test_with_a_kafka_of_ones_own_none_is_started_and_a_dead_worker_is_started_again(broker: Broker, env: dict[str, str]) -> None:
    with running(env | {"ONETRAIL_KAFKA": broker.bootstrap, "ONETRAIL_PREFIX": "outage"}, "--no-demo") as up:
        up.wait_until_ready()
        assert not any("kafka.Kafka" in arguments for arguments in processes_of(up.data).values())
        kill(up.data, r"-A app\.main worker")
        up.wait(lambda: "worker-0 ended (signal SIGKILL)" in (up.data.parent / "err").read_text())
        up.wait(lambda: settled(up))
        assert up.stop(signal.SIGTERM) == 0


def settled(up: Up) -> bool:
    try:
        return bool(up.ask("/v1/status")["settled"])
    except (urllib.error.URLError, ConnectionError):
        return False


def test_a_second_up_on_the_same_data_is_one_line(broker: Broker, env: dict[str, str]) -> None:
    own = env | {"ONETRAIL_KAFKA": broker.bootstrap, "ONETRAIL_PREFIX": "second"}
    with running(own) as up:
        up.wait(lambda: (up.data / "logs").is_dir())
        done = subprocess.run(
            [sys.executable, "-m", "app.commands", "up"], env=os.environ | own, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert f"another `onetrail up` works in {up.data}" in done.stderr


def test_without_network_it_says_so_and_stays_up_empty(broker: Broker, env: dict[str, str], tmp_path: Path) -> None:
    offline = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_CACHE_DIR": "1"}
    with running(env | offline | {"ONETRAIL_KAFKA": broker.bootstrap, "ONETRAIL_PREFIX": "offline"}, "--demo") as up:
        up.wait_until_ready()
        assert "the demo data set cannot be downloaded" in (tmp_path / "err").read_text()
        assert up.ask("/v1/status")["events"] == 0
