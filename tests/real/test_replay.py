"""Files into a topic, and back through the rejected ones, on a real broker: each event once, in order, nothing lost."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from app.broker import Broker
from app.rejection import Origin, rejection
from models.event import Reason, Rejected
from tests.real.collecting import until

CONFIG = """
[topics]
partitions = 1
channel_partitions = 2
[identity.namespaces.user_id]
priority = 1
[channels.web]
[channels.calls]
format = "map"
[channels.calls.map]
event = "type"
[channels.calls.map.identifiers]
user_id = "user"
"""
PREFIXES = (f"replay-{number}" for number in range(1_000))


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Onetrail:
    """The command, with topics and a data directory of its own."""

    def __init__(self, broker: Broker, directory: Path) -> None:
        self.prefix, self.broker, self.data = next(PREFIXES), broker, directory / "data"
        (directory / "config.toml").write_text(CONFIG)
        own = {"DATA": self.data, "CONFIG": directory / "config.toml", "PREFIX": self.prefix, "KAFKA": broker.bootstrap}
        self._environment = os.environ | {f"ONETRAIL_{name}": str(value) for name, value in own.items()}

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """The command as a process that may be killed."""
        command = [sys.executable, "-m", "app.commands", *map(str, arguments)]
        return subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __call__(self, *arguments: object) -> Done:
        command = [sys.executable, "-m", "app.commands", *map(str, arguments)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    async def records(self, topic: str) -> list[tuple[bytes | None, bytes | None]]:
        """Keys and values of a topic, one partition after the other."""
        name, kafka = f"{self.prefix}.{topic}", self.broker.bootstrap
        async with AIOKafkaConsumer(name, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
            partitions = sorted(consumer.assignment())
            ends = await consumer.end_offsets(partitions)
            return [(r.key, r.value) for tp in partitions for r in [await consumer.getone(tp) for _ in range(ends[tp])]]

    async def reject(self, *rejected: tuple[Reason, str, bytes | None]) -> None:
        """Reason, source topic, raw bytes."""
        async with AIOKafkaProducer(bootstrap_servers=self.broker.bootstrap) as producer:
            for reason, source, raw in rejected:
                record = rejection(
                    f"{self.prefix}.behaviour.rejected", Rejected(reason, "a rule"), Origin(source, 0, 7), "T", raw
                )
                await producer.send_and_wait(record.topic, record.value, headers=list(record.headers), partition=0)


@pytest.fixture
def onetrail(broker: Broker, tmp_path: Path) -> Onetrail:
    return Onetrail(broker, tmp_path)


def event(number: int, user: str = "42", **more: object) -> bytes:
    return json.dumps({"event_id": f"e{number}", "event": "seen", "identifiers": {"user_id": user}, **more}).encode()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Sequence[bytes]], Path]:
    def write(lines: Sequence[bytes]) -> Path:
        (tmp_path / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        return tmp_path / "events.jsonl"

    return write


Write = Callable[[Sequence[bytes]], Path]


async def test_a_file_arrives_once_each_persons_events_in_order(onetrail: Onetrail, written: Write) -> None:
    lines = [event(number, f"user-{number % 7}") for number in range(5_000)]
    file = written(lines)
    first, again = onetrail("replay", file, "--channel", "web"), onetrail("replay", file, "--channel", "web")
    assert (first.code, again.code) == (0, 0)
    assert "5,000 sent" in first.out
    assert "0 sent, 5,000 were sent earlier" in again.out
    records = await onetrail.records("behaviour.web")
    for user in range(7):
        key = f"user-{user}".encode()
        assert [value for found, value in records if found == key] == lines[user::7]


async def test_a_file_that_has_grown_is_sent_from_where_it_was_left(onetrail: Onetrail, written: Write) -> None:
    onetrail("replay", written([event(1), event(2)]), "--channel", "web")
    done = onetrail("replay", written([event(1), event(2), event(3)]), "--channel", "web", "--json")
    (item,) = json.loads(done.out)["items"]
    assert (item["sent"], item["sent_earlier"]) == (1, 2)
    assert [value for _, value in await onetrail.records("behaviour.web")] == [event(1), event(2), event(3)]


async def test_killed_in_the_middle_it_goes_on_where_it_was(onetrail: Onetrail, written: Write) -> None:
    lines = [event(number, f"user-{number % 7}") for number in range(20_000)]
    arguments = ["replay", written(lines), "--channel", "web", "--rate", "4000"]
    process = onetrail.start(*arguments)
    memory = onetrail.data / "replay"
    until(lambda: any(memory.glob("*.json")) and "records" in next(memory.glob("*.json")).read_text())
    process.kill()
    process.communicate()
    done = onetrail(*arguments[:-2], "--json")
    (item,) = json.loads(done.out)["items"]
    assert 0 < item["sent_earlier"] < 20_000
    records = await onetrail.records("behaviour.web")
    assert len(records) - 20_000 <= 400, "at most what was under way is sent twice"
    first = list(dict.fromkeys(value for _, value in records))
    for user in range(7):
        assert [value for value in first if value in set(lines[user::7])] == lines[user::7]


async def test_lines_that_are_no_events_go_too_and_are_counted(onetrail: Onetrail, written: Write) -> None:
    done = onetrail("replay", written([b"{broken", event(1), b"", b"[1]"]), "--channel", "web")
    assert (done.code, "3 sent; 2 of them are no JSON objects" in done.out) == (0, True)
    assert sorted(value or b"" for _, value in await onetrail.records("behaviour.web")) == sorted([b"[1]", event(1), b"{broken"])


async def test_what_is_too_large_for_kafka_is_named_and_the_rest_is_sent(onetrail: Onetrail, written: Write) -> None:
    done = onetrail("replay", written([event(1), event(2, text="x" * 1_100_000), event(3)]), "--channel", "web")
    assert (done.code, done.err.splitlines()[-1].startswith("onetrail: 1 not sent, larger")) == (1, True)
    assert "events.jsonl: event 2" in done.err
    assert [value for _, value in await onetrail.records("behaviour.web")] == [event(1), event(3)]


async def test_a_packed_file_that_was_cut_off_is_sent_as_far_as_it_goes(onetrail: Onetrail, tmp_path: Path) -> None:
    lines = [event(number, text=os.urandom(500).hex()) for number in range(500)]
    whole = gzip.compress(b"".join(line + b"\n" for line in lines))
    (tmp_path / "events.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    cut = onetrail("replay", tmp_path / "events.jsonl.gz", "--channel", "web")
    assert (cut.code, "cannot be read to its end" in cut.err) == (1, True)
    (tmp_path / "events.jsonl.gz").write_bytes(whole)
    assert onetrail("replay", tmp_path / "events.jsonl.gz", "--channel", "web").code == 0
    assert [value for _, value in await onetrail.records("behaviour.web")] == lines


async def test_a_channel_with_a_format_of_its_own_gets_its_lines_untouched(onetrail: Onetrail, written: Write) -> None:
    onetrail("replay", written([b'{"type": "call", "user": "42"}']), "--channel", "calls", "--rate", "100")
    assert await onetrail.records("behaviour.calls") == [(None, b'{"type": "call", "user": "42"}')]


async def test_rejected_records_are_listed_by_reason_and_time(onetrail: Onetrail) -> None:
    onetrail("topics")
    web = f"{onetrail.prefix}.behaviour.web"
    await onetrail.reject(("not_json", web, b"{"), ("bad_time", web, event(1)), ("not_json", "collector:web", b""))
    items = json.loads(onetrail("rejected", "--json").out)["items"]
    assert [item["reason"] for item in items] == ["not_json", "bad_time", "not_json"]
    where = {"source_topic": web, "source_partition": 0, "source_offset": 7}
    assert items[0] == {"reason": "not_json", "rule": "a rule", **where, "at": "T", "raw": "{"}
    assert len(json.loads(onetrail("rejected", "--json", "--reason", "bad_time", "--since", "5m").out)["items"]) == 1
    assert json.loads(onetrail("rejected", "--json", "--since", "2999-01-01T00:00:00Z").out) == {"items": []}


async def test_a_retry_sends_each_rejected_record_once_more(onetrail: Onetrail) -> None:
    onetrail("topics")
    await onetrail.reject(("bad_time", f"{onetrail.prefix}.behaviour.web", event(1)), ("not_json", "collector:web", b"{"))
    await onetrail.reject(("internal", f"{onetrail.prefix}.people.inbox", b"\x93"))
    assert "1 retried, 0 were retried before\n" in onetrail("rejected", "--retry", "--reason", "bad_time").err
    assert "1 retried, 1 were retried before; 1 cannot be" in onetrail("rejected", "--retry").err
    assert "0 retried, 2 were retried before; 1 cannot be" in onetrail("rejected", "--retry").err
    unread, again = sorted(value or b"" for _, value in await onetrail.records("behaviour.web"))
    assert (unread, json.loads(again)["event_id"]) == (b"{", "e1")
    assert json.loads(again)["occurred_at"], "of when it came first"


def test_topics_are_created_and_compared(onetrail: Onetrail) -> None:
    missing = onetrail("topics", "--check")
    assert (missing.code, f"{onetrail.prefix}.behaviour.web: topic: wanted present, found missing" in missing.out) == (1, True)
    assert f"created {onetrail.prefix}.behaviour.web" in onetrail("topics").out
    assert json.loads(onetrail("topics", "--json").out)["created"] == []
    assert json.loads(onetrail("topics", "--check", "--json").out) == {"right": True, "mismatches": []}
