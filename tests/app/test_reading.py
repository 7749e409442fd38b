"""Which rules a record is read by, and what is sent of what was pulled."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka.errors import KafkaConnectionError

from app import sending, topics
from app.config import Config, load
from app.reading import IMPORT, Reading, named, system_of
from app.runtime.durable import Record
from app.sending import Sending
from models.event import Event, Rejected
from models.imports import is_imported
from models.policy import Policy


@pytest.fixture(name="config")
def config_with_orders(tmp_path: Path) -> Config:
    path = tmp_path / "own.toml"
    systems = '[systems.orders]\nurl = "http://h/x"\nnamespace = "u"\n'
    path.write_text(f"[identity.namespaces.u]\npriority = 1\n[channels.web]\n{systems}", encoding="utf-8")
    return load(path)


class Given(NamedTuple):
    """A record as Kafka clients give it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def channel(found: Policy | Rejected) -> str:
    return found.reason if isinstance(found, Rejected) else found.channel


def test_a_record_is_read_as_its_topic_says(config: Config) -> None:
    assert channel(Reading(config, "p").policy("p.behaviour.web", [("system", b"orders")])) == "web"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("system", b"orders")], "orders"),
        ([("other", b"x"), ("system", b"orders")], "orders"),
        ([], "internal"),
        ([("system", None)], "internal"),
        ([("system", b"web")], "internal"),
        ([("system", b"\xff")], "internal"),
    ],
)
def test_a_pulled_record_is_read_as_its_system_says(
    config: Config, headers: list[tuple[str, bytes | None]], expected: str
) -> None:
    assert channel(Reading(config, "p").policy("p.behaviour.pulled", headers)) == expected


@pytest.mark.parametrize(("headers", "expected"), [(IMPORT, True), ((), False)])
def test_a_record_of_an_import_is_read_as_one(config: Config, headers: tuple[tuple[str, bytes], ...], expected: bool) -> None:
    value = b'{"event_id":"e","event":"seen","identifiers":{"u":"1"}}'
    event = Reading(config, "p").event(Given("p.behaviour.web", 0, 0, 1_700_000_000_000, value, headers))
    assert isinstance(event, Event)
    assert is_imported(event.context) is expected


def test_a_system_is_named_in_a_header() -> None:
    assert (system_of(named("orders")), named(None)) == ("orders", ())


class Kafka:
    """Notes what it is sent; `failing`: it takes nothing; `slow`: it does not acknowledge."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.failing = self.slow = False

    async def publish(self, records: Sequence[Record]) -> None:
        if self.failing:
            raise KafkaConnectionError("away")
        if self.slow:
            await asyncio.sleep(30)
        self.records += records


async def test_a_record_is_sent_once() -> None:
    kafka = Kafka()
    out = Sending("pulled", kafka.publish)
    await out.send([("orders", b"1"), ("orders", b"2"), ("orders", b"1"), ("crm", b"1")])
    await out.send([("orders", b"2")])
    assert kafka.records == [
        Record("pulled", None, value, named(name)) for name, value in (("orders", b"1"), ("orders", b"2"))
    ] + [Record("pulled", None, b"1", named("crm"))]


async def test_what_kafka_did_not_take_is_sent_again() -> None:
    kafka = Kafka()
    out = Sending("pulled", kafka.publish)
    kafka.failing = True
    await out.send([("orders", b"1")])
    kafka.failing = False
    await out.send([("orders", b"1")])
    assert [record.value for record in kafka.records] == [b"1"]


async def test_nobody_waits_long_for_kafka_and_nothing_piles_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WAIT_SECONDS_MAX", 0.01)
    kafka = Kafka()
    kafka.slow = True
    out = Sending("pulled", kafka.publish)
    async with asyncio.timeout(2):
        for number in range(50):
            await out.send([("orders", b"%d" % number)])
    waiting = [task for task in asyncio.all_tasks() if task.get_name() == "send to pulled"]
    for task in waiting:
        task.cancel()
    assert len(waiting) == sending.AT_ONCE_MAX


async def test_what_the_topic_would_not_take_is_cut() -> None:
    kafka = Kafka()
    await Sending("pulled", kafka.publish).send([("orders", b"x" * 2_000_000)])
    assert 1_000_000 < len(kafka.records[0].value or b"") < topics.RECORD_BYTES_MAX


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "REMEMBERED_MAX", 3)
    kafka = Kafka()
    out = Sending("pulled", kafka.publish)
    for text in (b"1", b"2", b"3", b"4", b"4", b"1"):
        await out.send([("orders", text)])
    assert [record.value for record in kafka.records] == [b"1", b"2", b"3", b"4", b"1"]
