"""An edge before the network: what it reads arrives once, in order and with its times, whoever is killed meanwhile."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.broker import Broker
from tests.real.collecting import Collector, events_of, until

CONFIG = """
[topics]
partitions = 1
channel_partitions = 1
[identity.namespaces.user_id]
priority = 1
[channels.web]
write_keys = ["dev-web"]
[channels.kiosk]
write_keys = ["dev-kiosk"]
"""
BEGIN_MS = 1_790_000_000_000
FILES, LINES = 12, 1_000
ROBOT = {"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}


class Edge:
    """The command as a process that reads a directory."""

    def __init__(self, centre: "Centre", place: Path, channel: str) -> None:
        self.drop = place / "drop"
        self.drop.mkdir()
        self._place, self._centre = place, centre
        self._command = [*ONETRAIL, "edge", str(self.drop), "--channel", channel, "--url", centre.collector.url]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> "Edge":
        own = self._centre.environment | {"ONETRAIL_DATA": str(self._place / "data")}
        with (self._place / "edge.log").open("ab") as log:
            self.process = subprocess.Popen([*self._command, *options], env=os.environ | own, stdout=subprocess.PIPE, stderr=log)
        return self

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def ended(self) -> Any:
        """The document of an edge that was started with --once --json."""
        assert self.process is not None
        out, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, self.log()
        return json.loads(out)

    def log(self) -> str:
        return (self._place / "edge.log").read_text()

    def put(self, name: str, lines: Sequence[bytes]) -> None:
        """Drops a file, as one should: written elsewhere, then moved."""
        written = self._place / name
        written.write_bytes(b"".join(line + b"\n" for line in lines))
        written.rename(self.drop / name)


ONETRAIL = [sys.executable, "-m", "app.commands"]


class Centre:
    """A collector that is killed and started again on its port."""

    def __init__(self, broker: Broker, place: Path) -> None:
        self._broker, self._place = broker, place
        self.prefix = f"edge{time.time_ns()}"
        self.environment = {"ONETRAIL_KAFKA": broker.bootstrap, "ONETRAIL_PREFIX": self.prefix}
        self.collector = Collector(broker, place, self.prefix)

    def outage(self, seconds: float) -> None:
        self.collector.kill()
        time.sleep(seconds)
        self.collector = Collector(self._broker, self._place, self.prefix, self.collector.port)

    def events(self, channel: str) -> list[dict[str, Any]]:
        """What came, each once, in the order in which it came first."""
        found = events_of(self._broker, self.prefix, channel, partition_count=1)
        return list({event["event_id"]: event for event in reversed(found)}.values())[::-1]

    def filtered(self) -> Any:
        """What is told of each channel's edges."""
        command, own = [*ONETRAIL, "channels", "--json"], os.environ | self.environment
        done = subprocess.run(command, env=own, capture_output=True, check=True)
        return {one["channel"]: one["filtered"] for one in json.loads(done.stdout)["channels"]}


@pytest.fixture(scope="module")
def centre(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    place = tmp_path_factory.mktemp("centre")
    (place / "config.toml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONETRAIL_CONFIG", str(place / "config.toml"))
        made = Centre(broker, place)
        made.collector.until_ready()
        yield made
        made.collector.kill()


def event(number: int, **more: Any) -> dict[str, Any]:
    said = {"event_id": f"e{number}", "event": "seen", "occurred_at": BEGIN_MS + number, "identifiers": {"user_id": f"u{number}"}}
    return {**said, **more}


def lines(events: Sequence[Mapping[str, Any]]) -> list[bytes]:
    return [json.dumps(one).encode() for one in events]


def test_whoever_is_killed_everything_arrives_in_order_and_as_it_was(centre: Centre, tmp_path: Path) -> None:
    edge = Edge(centre, tmp_path, "web").start()
    told = [event(number) for number in range(FILES * LINES)]
    for number in range(FILES):
        edge.put(f"{number:03}.jsonl", [*lines(told[number * LINES : (number + 1) * LINES]), b"{torn"])
        if number in (1, 6):
            edge.kill()
            edge.start()
        elif number == 3:
            centre.outage(1.0)
        time.sleep(0.2)
    edge.kill()
    document = edge.start("--once", "--json").ended()
    assert document["waiting"] == 0
    assert centre.events("web") == told
    assert sorted(path.name for path in (edge.drop / "done").iterdir()) == [f"{number:03}.jsonl" for number in range(FILES)]
    assert centre.filtered()["web"] == {"not_json": FILES}


def test_only_what_is_valid_is_sent_and_what_is_not_is_told(centre: Centre, tmp_path: Path) -> None:
    """1,000 records, of which 200 are of robots and 300 repeat what was reported: 500 are sent, in far fewer bytes."""
    valid = [event(number, properties={"path": f"/cars/{number}"}) for number in range(500)]
    robots = [event(1_000 + number, context=ROBOT) for number in range(200)]
    records = [one for number in range(500) for one in (valid[number], *robots[number : number + 1])]
    records[400:400] = valid[:300]
    edge = Edge(centre, tmp_path, "kiosk")
    edge.put("records.jsonl", lines(records))
    document = edge.start("--once", "--json").ended()
    assert (document["read"], document["sent"], document["waiting"]) == (1_000, 500, 0)
    assert document["filtered"] == {"crawler": 200, "repeat": 300}
    assert centre.events("kiosk") == valid
    assert centre.filtered()["kiosk"] == {"crawler": 200, "repeat": 300}
    assert sum(map(len, lines(records))) / document["bytes_sent"] > 1.6, "beside all of them as they are"


def test_standard_input_is_sent_and_then_it_ends(centre: Centre, tmp_path: Path) -> None:
    own = centre.environment | {"ONETRAIL_DATA": str(tmp_path)}
    command = [*ONETRAIL, "edge", "--channel", "web", "--url", centre.collector.url, "--json"]
    before = len(centre.events("web"))
    given = b"\n".join(lines([event(number) for number in range(100_000, 100_050)]))
    done = subprocess.run(command, input=given, env=os.environ | own, capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout)["sent"] == 50
    assert len(centre.events("web")) == before + 50


def test_a_full_spool_leaves_the_files_where_they_are_and_says_so(centre: Centre, tmp_path: Path) -> None:
    centre.collector.kill()
    edge = Edge(centre, tmp_path, "web")
    for number in range(3):
        edge.put(f"{number}.jsonl", lines([event(200_000 + number, properties={"text": "x" * 20_000}) for _ in range(1)]))
    edge.start("--max-bytes", "60k")
    until(lambda: "nothing more is read" in edge.log())
    assert list(edge.drop.glob("*.jsonl"))
    edge.kill()
    centre.outage(0.0)
    edge.start("--once", "--max-bytes", "1M", "--json").ended()
    assert [one["event_id"] for one in centre.events("web")][-3:] == ["e200000", "e200001", "e200002"]


def test_an_unknown_key_is_one_line(centre: Centre, tmp_path: Path) -> None:
    edge = Edge(centre, tmp_path, "web")
    edge.put("a.jsonl", lines([event(1)]))
    process = edge.start("--write-key", "nobody's").process
    assert process is not None
    process.communicate(timeout=30)
    last = edge.log().splitlines()[-1]
    assert (process.returncode, last.startswith("onetrail: "), "answers 401" in last) == (1, True, True)
