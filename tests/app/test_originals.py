"""What a stage turned away gets back the bytes that it came as, where they are still to be found."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from app import originals
from app.config import load
from app.originals import Originals, is_reduced
from app.outputs import Outputs
from app.reading import Reading
from app.runtime.durable import Record
from app.settings import PACKAGED_CONFIG
from models.event import Event
from models.ids import EventId, IdentifierKey, UnifiedUserId
from models.journey_messages import EventPlaced

TOPIC = "t.behaviour.web"
READING = Reading(load(PACKAGED_CONFIG), "t")
OUTPUTS = Outputs("t", ZoneInfo("Asia/Shanghai"), {"web": TOPIC})
AT = 1_790_000_000_000


def came(offset: int, event_id: str, at: int = AT, partition: int = 0, headers: tuple[tuple[str, bytes], ...] = ()) -> Any:
    """A record of the channel; its spaces are in no standardised form."""
    raw = json.dumps({"event_id": event_id, "event": "seen", "identifiers": {"user_id": "7"}}, indent=3).encode()
    return SimpleNamespace(topic=TOPIC, partition=partition, offset=offset, timestamp=at, value=raw, key=None, headers=headers)


def late(record: Any) -> Record:
    """What its journey says of it."""
    event = READING.event(record)
    assert isinstance(event, Event)
    body = msgspec.msgpack.encode(event)
    key, uid = IdentifierKey("user_id:x"), UnifiedUserId("u")
    return OUTPUTS.late(EventPlaced(uid, key, event.event_id, event.occurred_at, event.received_at, body))


class Topic:
    """Two partitions, read by two records at a time."""

    def __init__(self, *records: Any, away: int = 0, broken: bool = False) -> None:
        self.away, self._broken, self.stopped = away, broken, 0
        self._kept: Mapping[TopicPartition, list[Any]] = {
            TopicPartition(TOPIC, number): [one for one in records if one.partition == number] for number in range(2)
        }
        self._at: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        self.away -= 1
        if self.away >= 0:
            raise KafkaConnectionError("no broker")
        if self._broken:
            raise TopicAuthorizationFailedError(TOPIC)

    async def stop(self) -> None:
        self.stopped += 1

    def assign(self, tps: list[TopicPartition]) -> None:
        assert tps == list(self._kept)

    async def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
        return {tp: next((one for one in self._kept[tp] if one.timestamp >= at), None) for tp, at in times.items()}

    async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: self._kept[tp][-1].offset + 1 if self._kept[tp] else 0 for tp in tps}

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._at[tp] = offset

    async def getmany(self, *tps: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        found = {tp: [one for one in self._kept[tp] if one.offset >= self._at[tp]][:2] for tp in tps}
        self._at |= {tp: records[-1].offset + 1 for tp, records in found.items() if records}
        return {tp: records for tp, records in found.items() if records}


async def restored(topic: Topic, *records: Record) -> list[Record]:
    consumer: Any = lambda: topic  # noqa: E731  # stands for the client's class
    return await Originals(READING, {TOPIC: 2}, consumer).restored(records)


async def test_the_bytes_and_the_place_come_back() -> None:
    others = [came(offset, f"other {offset}", AT + offset % 2) for offset in range(5)]
    wanted, elsewhere = came(5, "wanted", AT + 1), came(9, "elsewhere", AT + 3, partition=1)
    first, second = await restored(Topic(*others, wanted, elsewhere), late(wanted), late(elsewhere))
    assert (first.value, second.value) == (wanted.value, elsewhere.value)
    assert [value for _, value in first.headers[2:5]] == [TOPIC.encode(), b"0", b"5"]
    assert [value for _, value in second.headers[2:5]] == [TOPIC.encode(), b"1", b"9"]
    assert dict(first.headers) | {"at": b"", "rule": b""} == {
        "reason": b"too_old",
        "rule": b"",
        "source_topic": TOPIC.encode(),
        "source_partition": b"0",
        "source_offset": b"5",
        "at": b"",
        "event_id": b"wanted",
    }


async def test_of_a_repetition_at_the_same_moment_the_first_is_meant() -> None:
    (found,) = await restored(Topic(came(1, "twice"), came(2, "twice")), late(came(2, "twice")))
    assert dict(found.headers)["source_offset"] == b"1"


async def test_how_a_record_is_read_stays_with_it() -> None:
    imported = came(1, "long ago", headers=(("import", b"1"), ("x", b"y")))
    (found,) = await restored(Topic(imported), late(imported))
    assert dict(found.headers)["import"] == b"1"
    assert "x" not in dict(found.headers)


@pytest.mark.parametrize("topic", [Topic(), Topic(came(1, "other")), Topic(broken=True)], ids=["empty", "gone", "forbidden"])
async def test_what_is_not_to_be_found_is_told_as_the_event_itself(topic: Topic) -> None:
    (found,) = await restored(topic, late(came(4, "lost")))
    told = msgspec.json.decode(found.value or b"")
    assert (told["event_id"], told["event"], told["identifiers"]) == ("lost", "seen", {"user_id": ["7"]})
    assert dict(found.headers)["source_offset"] == b"-1"
    again = READING.event(SimpleNamespace(topic=TOPIC, partition=0, offset=0, timestamp=AT, value=found.value, headers=()))
    assert isinstance(again, Event), "it can be sent through again"
    assert again.event_id == EventId("lost")


async def test_while_kafka_is_away_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "RETRY_SECONDS", 0.0)
    wanted = came(1, "wanted")
    topic = Topic(wanted, away=3)
    (found,) = await restored(topic, late(wanted))
    assert (found.value, topic.stopped) == (wanted.value, 4)


async def test_all_other_records_pass() -> None:
    other = Record("t.identity.map", b"key", b"value")
    assert await restored(Topic(), other) == [other]
    assert not is_reduced(other)
