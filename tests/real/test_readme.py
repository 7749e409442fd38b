"""What README.md tells one to type is typed, against a running system, and the answers are those that it shows."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import demo
from app.broker import Broker
from app.cache import cache_directory
from tests.markdown import Document, blocks_of
from tests.ports import LOOPBACK, free_port_pair
from tests.real.test_up import Up, running

README = Document("README.md")
SETTLED_SECONDS_MAX = 60.0
PORTS = {"6066": "ONETRAIL_WEB_PORT", "8000": "ONETRAIL_COLLECT_PORT"}

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="README speaks curl: sudo apt install curl")


class Reader:
    """Somebody with the README, a shell and a running system; its ports and its token are put in."""

    def __init__(self, up: Up, env: dict[str, str]) -> None:
        self._up, self._env = up, env
        self.token = up.said("read token: ")[0]

    def type(self, line: str) -> str:
        """What the command writes when it succeeds."""
        for port, variable in PORTS.items():
            line = line.replace(f"{LOOPBACK}:{port}", f"{LOOPBACK}:{self._env[variable]}")
        line = re.sub(r"^curl ", "curl --silent --show-error --fail-with-body ", line)
        line = re.sub(r"^onetrail ", f"{sys.executable} -P -m app.commands ", line)
        own = {"READ_TOKEN": self.token}
        done = subprocess.run(
            line, shell=True, env=os.environ | self._env | own, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stdout} {done.stderr}"
        return done.stdout

    def until_settled(self) -> None:
        """Returns when all that was sent is visible."""
        end = time.monotonic() + SETTLED_SECONDS_MAX
        while not self._up.ask("/v1/status")["settled"]:
            assert time.monotonic() < end, "not settled"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def reader(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    data = tmp_path_factory.mktemp("readme") / "data"
    ports = {"ONETRAIL_COLLECT_PORT": str(free_port_pair()), "ONETRAIL_WEB_PORT": str(free_port_pair())}
    env = {"ONETRAIL_DATA": str(data), "ONETRAIL_KAFKA": broker.bootstrap, "ONETRAIL_PREFIX": "readme", **ports}
    with running(env, "--no-demo") as up:
        up.wait_until_ready()
        yield Reader(up, env)


@pytest.fixture
def shop(reader: Reader, tmp_path: Path) -> None:
    """What `make run` replays, as far as it speaks of the customer that is shown."""
    try:
        events = list(demo.events(demo.data_set(cache_directory())))
    except demo.DemoError as error:
        pytest.skip(str(error))
    sessions = {event.key for event in events if json.loads(event.value)["identifiers"].get("user_id") == demo.SHOWN_USER}
    for channel in {event.channel for event in events}:
        told = [event.value for event in events if event.key in sessions and event.channel == channel]
        (tmp_path / f"{channel}.jsonl").write_bytes(b"\n".join(told))
        reader.type(f"onetrail replay {tmp_path / channel}.jsonl --channel {channel}")
    reader.until_settled()


def snippets(section: str) -> list[tuple[str, Any]]:
    """Each command of a section, with the JSON that is shown for it (None = nothing is)."""
    found: list[tuple[str, Any]] = []
    for block in blocks_of(README.section(section)):
        if block.language == "console":
            found += [(line, None) for line in block.typed]
        elif block.language == "json":
            found[-1] = (found[-1][0], json.loads(block.text))
    return found


def is_like(shown: Any, answer: Any) -> bool:
    """What is shown is there: keys and items may be left out, `…` stands for anything."""
    match shown, answer:
        case dict(), dict():
            return all(key in answer and is_like(value, answer[key]) for key, value in shown.items())
        case list(), list():
            rest = iter(answer)
            return all(any(is_like(one, other) for other in rest) for one in shown)
        case str(), str():
            return re.fullmatch(".+".join(map(re.escape, shown.split("…"))), answer) is not None
    return bool(shown == answer and type(shown) is type(answer))


def test_likeness_allows_omissions_only() -> None:
    answer = {"uid": "u_1", "items": [{"n": 1}, {"n": 2, "more": None}], "done": True}
    assert is_like({"uid": "u_…", "items": [{"n": 2}]}, answer)
    for wrong in ({"uid": "v_…"}, {"items": [{"n": 2}, {"n": 1}]}, {"items": [{"n": 3}]}, {"done": 1}, {"missing": None}):
        assert not is_like(wrong, answer), wrong


@pytest.mark.usefixtures("shop")
def test_the_shops_customer_is_as_shown(reader: Reader) -> None:
    (command, shown) = snippets("What you then see")[0]
    answer = json.loads(reader.type(command))
    assert is_like(shown, answer), answer
    namespaces = [one["namespace"] for one in answer["identifiers"]]
    assert (namespaces.count("anonymous_id"), namespaces.count("user_id")) == (7, 1)
    assert "three doors, over four months, under seven session identifiers and one account" in README.text
    assert (answer["first_seen"][:7], answer["last_seen"][:7], len(answer["channels"])) == ("2024-02", "2024-06", 3)


def test_ones_own_event_is_found_by_each_of_its_identifiers(reader: Reader) -> None:
    commands = [command for command, _ in snippets("What you then see")[1:]]
    posting, asking, status, channels, events = commands
    assert json.loads(reader.type(posting)) == {"success": True, "accepted": 1, "rejected": []}
    reader.until_settled()
    found = json.loads(reader.type(asking))
    assert [item["event"] for item in found["items"]] == ["page_viewed"]
    assert found["items"][0]["identifiers"] == {"user_id": "42", "phone": "+8613800138000"}
    assert "in journeys" in reader.type(status)
    assert "mini_program" in reader.type(channels)
    assert "of them not registered" in reader.type(events)
