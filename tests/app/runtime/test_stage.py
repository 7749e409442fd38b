"""One batch of a stage: what is handled, rejected and dropped, and in which order it takes effect."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pytest

from app.runtime import stage as stage_module
from app.runtime.durable import Fenced, Record
from app.runtime.overlay import Overlay, Unreadable
from app.runtime.packs import OUTPUTS, Pack, Packed, sequence
from app.runtime.relay import Relay
from app.runtime.stage import CURSOR, Message, Position, Sent, Stage
from app.runtime.tally import Tally
from tests.app.runtime.kafka_model import Disk, Inbound
from tests.app.runtime.test_overlay import Text

AT = Position(0, "inbox/0")


class Shouting:
    """Each word is kept under itself, then told to the next stage; some words cannot be handled."""

    def handle(self, message: str, rows: Overlay[str]) -> Iterator[Sent]:
        rows.put(message.encode(), (rows.get(message.encode()) or "") + "!")
        if message == "poison":
            raise ValueError("no such word")
        if message == "large":
            rows.put(b"large", "x" * 500)
        yield from (Message("next", "a route", message) for _ in range(OUTPUTS + 1 if message == "many" else 1))
        yield Record("outside", message.encode(), b"said")

    def reject(self, body: bytes, partition: int, offset: int, why: str) -> Record:
        return Record("rejected", None, body, (("why", f"{partition}/{offset} {why}".encode()),))


class Wire:
    """Notes what is sent and appended, in order."""

    def __init__(self, end: int = 0) -> None:
        self.end = end
        self.effects: list[tuple[str, Any]] = []

    async def publish(self, records: Sequence[Record], rounds: Iterable[Sequence[Packed]]) -> None:
        self.effects.append(("publish", (list(records), [pack for one in rounds for pack in one])))

    async def append(self, topic: str, partition: int, rows: Sequence[tuple[bytes, bytes]], last: int) -> int:
        if last + 1 != self.end:
            raise Fenced(topic)
        self.effects.append(("append", dict(rows)))
        self.end += len(rows)
        return self.end - 1

    @property
    def records(self) -> list[Record]:
        return [record for name, (records, _) in self.effects_named("publish") for record in records]

    @property
    def messages(self) -> list[tuple[int, Any]]:
        packs = [pack for _, (_, packs) in self.effects_named("publish") for pack in packs]
        return [message for pack in packs for message in msgspec.msgpack.decode(pack.value, type=Pack[Any]).messages]

    def effects_named(self, name: str) -> list[tuple[str, Any]]:
        return [effect for effect in self.effects if effect[0] == name]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def stage(wire: Wire) -> Stage[str, str]:
    return Stage(str, Shouting(), Text(), "changelog", 4, wire, Tally(Text(), b"", len))


def packed(offset: int, *messages: tuple[int, str], source: str = "s/0") -> Inbound:
    return Inbound(offset, msgspec.msgpack.encode(Pack(source, list(messages))))


async def test_outputs_then_changelog_then_rows(stage: Stage[str, str], wire: Wire) -> None:
    disk = Disk()
    last = await stage.apply(AT, disk, -1, [packed(5, (1, "hello"), (2, "world"))])
    assert [name for name, _ in wire.effects] == ["publish", "append"]
    assert wire.messages == [(sequence(5, 0, 0), "hello"), (sequence(5, 1, 0), "world")]
    assert disk.rows == wire.effects[1][1]
    assert list(disk.rows) == [b"hello", b"world", CURSOR], "the cursor comes last"
    assert last == disk.persisted == 2


async def test_what_was_seen_changes_nothing(stage: Stage[str, str], wire: Wire) -> None:
    disk = Disk()
    last = await stage.apply(AT, disk, -1, [packed(0, (1, "a"), (2, "b"))])
    rows, effects = dict(disk.rows), len(wire.effects_named("append"))
    assert await stage.apply(AT, disk, last, [packed(1, (1, "a"), (2, "b")), packed(2, (2, "b"))]) == last
    assert (disk.rows, len(wire.effects_named("append"))) == (rows, effects)
    assert (stage.handled, stage.dropped) == (2, 3)


async def test_many_messages_are_several_batches_and_each_is_handled_once(
    stage: Stage[str, str], wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_module, "MESSAGES_MAX", 2)
    words, disk = [(number, f"w{number % 2}") for number in range(7)], Disk()
    last = await stage.apply(AT, disk, -1, [packed(0, *words[:5]), packed(1, *words[5:])])
    assert [text for _, text in wire.messages] == [text for _, text in words]
    assert (disk.body(b"w0"), disk.body(b"w1"), stage.handled) == (b"!!!!", b"!!!", 7)
    assert (len(wire.effects_named("append")), last) == (4, wire.end - 1)


async def test_each_source_is_counted_by_itself(stage: Stage[str, str]) -> None:
    disk = Disk()
    await stage.apply(AT, disk, -1, [packed(0, (9, "a")), packed(1, (1, "a"), source="s/1")])
    assert disk.bodies(b"a") == [(b"a", b"!!")]


async def test_a_message_that_cannot_be_handled_is_rejected_and_leaves_no_trace(stage: Stage[str, str], wire: Wire) -> None:
    disk = Disk()
    await stage.apply(AT, disk, -1, [packed(3, (1, "poison"), (2, "fine"))])
    assert list(disk.rows) == [b"fine", CURSOR]
    assert wire.records[0] == rejected("poison", "0/3 ValueError: no such word")
    assert [body for _, body in wire.messages] == ["fine"]


async def test_a_message_that_sends_more_than_can_be_numbered_is_rejected(stage: Stage[str, str], wire: Wire) -> None:
    await stage.apply(AT, Disk(), -1, [packed(3, (1, "many"))])
    assert wire.messages == []
    assert wire.records[0].value == msgspec.msgpack.encode("many")


async def test_what_is_no_pack_is_rejected_as_it_came(stage: Stage[str, str], wire: Wire) -> None:
    disk = Disk()
    await stage.apply(AT, disk, -1, [Inbound(3, b"\xc1 no pack"), packed(4, (1, "fine"))])
    assert wire.records[0].value == b"\xc1 no pack"
    assert disk.body(b"fine") == b"!"


async def test_what_a_batch_that_comes_to_nothing_found_out_is_forgotten() -> None:
    class Remembering(Shouting):
        def handle(self, message: str, rows: Overlay[str]) -> Iterator[Sent]:
            yield Message("next", "a route", f"{message} after {rows.found.get('last', 'nothing')}")
            rows.found.put("last", message)

    class Losing(Wire):
        async def publish(self, records: Sequence[Record], rounds: Iterable[Sequence[Packed]]) -> None:
            if not self.effects:
                self.effects.append(("lost", None))
                raise ConnectionError
            await super().publish(records, rounds)

    wire, disk, batch = Losing(), Disk(), [packed(0, (1, "a"), (2, "b"))]
    stage = Stage(str, Remembering(), Text(), "changelog", 4, wire, Tally(Text(), b"", len))
    with pytest.raises(ConnectionError):
        await stage.apply(AT, disk, -1, batch)
    await stage.apply(AT, disk, -1, batch)
    assert [text for _, text in wire.messages] == ["a after nothing", "b after a"]


async def test_a_broken_table_rejects_nothing_but_ends_the_batch(stage: Stage[str, str], wire: Wire) -> None:
    class Broken(Disk):
        def get(self, key: bytes) -> bytes | None:
            if key != CURSOR:
                raise OSError("no disk")
            return None

    with pytest.raises(Unreadable):
        await stage.apply(AT, Broken(), -1, [packed(0, (1, "a"))])
    assert wire.effects == []


async def test_a_fenced_batch_does_not_touch_the_rows(wire: Wire, stage: Stage[str, str]) -> None:
    disk, wire.end = Disk(), 1
    with pytest.raises(Fenced):
        await stage.apply(AT, disk, -1, [packed(0, (1, "a"))])
    assert (disk.rows, disk.persisted) == ({}, -1)


async def test_a_batch_that_does_not_fit_into_an_append_is_split(
    stage: Stage[str, str], wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_module, "APPEND_BYTES", 150)
    disk = Disk()
    await stage.apply(AT, disk, -1, [packed(0, *((n, f"word {n}") for n in range(8)))])
    sizes = [len(rows) for _, rows in wire.effects_named("append")]
    assert sizes == [3, 3, 3, 3], "two words and the cursor each"
    assert [number for number, _ in wire.messages] == [sequence(0, n, 0) for n in range(8)]


async def test_a_message_whose_rows_do_not_fit_is_rejected_and_those_after_it_are_handled(
    stage: Stage[str, str], wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_module, "APPEND_BYTES", 300)
    disk = Disk()
    last = await stage.apply(AT, disk, -1, [packed(0, (1, "large"), (2, "small"))])
    assert wire.records[0] == rejected("large", "0/0 changes more than 300 bytes of rows")
    assert (disk.get(b"large"), disk.bodies(b"small")) == (None, [(b"small", b"!")])
    assert await stage.apply(AT, disk, last, [packed(0, (1, "large"), (2, "small"))]) == last, "it is not tried again"


async def test_a_relay_numbers_what_it_sends_by_the_record(wire: Wire) -> None:
    def words(record: Inbound) -> Iterator[Sent]:
        for word in record.value.decode().split():
            yield Message("next", "a route", word)
        yield Record("outside", None, record.value)

    relay = Relay(words, refused, 4, wire)
    await relay.apply("raw/0/policy", [Inbound(7, b"a b"), Inbound(9, b"c")])
    assert wire.messages == [(sequence(7, 0, 0), "a"), (sequence(7, 0, 1), "b"), (sequence(9, 0, 0), "c")]
    assert [record.value for record in wire.records] == [b"a b", b"c"]
    assert relay.handled == 2


async def test_a_record_that_a_relay_cannot_handle_does_not_stop_those_behind_it(wire: Wire) -> None:
    def words(record: Inbound) -> Iterator[Sent]:
        yield Message("next", "a route", record.value.decode())

    relay = Relay(words, refused, 4, wire)
    await relay.apply("raw/0/policy", [Inbound(7, b"\xff"), Inbound(8, b"good")])
    assert [message for _, message in wire.messages] == ["good"]
    assert [record.value for record in wire.records] == [b"\xff"]


def refused(record: Any, why: str) -> Record:
    return Record("rejected", None, record.value, (("why", why.encode()),))


def rejected(message: str, why: str) -> Record:
    return Record("rejected", None, msgspec.msgpack.encode(message), (("why", why.encode()),))
