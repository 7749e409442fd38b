"""A stage: one inbox, rows of one table, messages out. Knows nothing of Faust; its ports are a publisher and a table.

Order of effects of a batch: (a) outputs, acknowledged; (b) changed rows and the cursor appended to the changelog as one
record batch, acknowledged; (c) one local write of the same rows with the changelog offset; (d) the caller finishes the run.
State is never ahead of its changelog, outputs are never behind state. A crash anywhere repeats a suffix from the same
state: the same messages with the same numbers, which their destinations drop if they have seen them.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from app.runtime.durable import APPEND_BYTES, Record, Unusable, appended_size
from app.runtime.overlay import Codec, Overlay, Readable, Recent, Unreadable
from app.runtime.packs import OUTPUTS, Outbox, Pack, Packed, moment, numbers, offset_at
from app.runtime.rows import STAMP, stamp
from app.runtime.tally import Follower

M = TypeVar("M")
N = TypeVar("N", contravariant=True)
R = TypeVar("R")

CURSOR = b"\0cursor"
YIELD_SECONDS = 0.001
MESSAGES_MAX = 2_000
"""Handled as one batch. What then changes more rows than one append takes is done again in halves, so that must be rare."""
_encode_cursor = msgspec.msgpack.Encoder().encode
_decode_cursor = msgspec.msgpack.Decoder(dict[str, int]).decode


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message for an inbox: the topic, the route that places it, and the message itself."""

    topic: str
    route: str
    body: object


Sent = Message | Record


class Inbound(Protocol):
    """A record of an inbox, as Kafka clients give it."""

    @property
    def offset(self) -> int: ...

    @property
    def value(self) -> bytes | None: ...


class Publisher(Protocol):
    """The way out; both calls return when the broker has acknowledged."""

    async def publish(self, records: Sequence[Record], rounds: Iterable[Sequence[Packed]]) -> None: ...

    async def append(self, topic: str, partition: int, rows: Sequence[tuple[bytes, bytes]], last: int) -> int: ...


class Table(Readable, Protocol):
    """A partition of the stage's table."""

    def write(self, rows: Iterable[tuple[bytes, bytes]], persisted: int) -> None: ...


class Actors(Protocol[N, R]):
    """What a stage does with a message: pure, so that the same message and rows give the same rows and messages."""

    def handle(self, message: N, rows: Overlay[R]) -> Iterable[Sent]:
        """Reads and changes rows; returns what is to be sent. An exception takes back what it changed."""
        ...

    def reject(self, body: bytes, partition: int, offset: int, why: str) -> Record:
        """The record for what cannot be handled."""
        ...


class Position(NamedTuple):
    """A partition of a stage: its number, and the name by which destinations know it as a source."""

    partition: int
    source: str


class Part(NamedTuple, Generic[M]):
    """What a record holds, or some of it: (number, message) from the place `first` on. `raw` of what is no pack."""

    offset: int
    source: str
    messages: Sequence[tuple[int, M]]
    first: int = 0
    raw: bytes | None = None

    @property
    def size(self) -> int:
        """What is no pack is one message that cannot be handled."""
        return len(self.messages) if self.raw is None else 1


def _halves(parts: list[Part[M]]) -> tuple[list[Part[M]], list[Part[M]]] | None:
    """The same in two, None when it is a single message."""
    if len(parts) > 1:
        return parts[: len(parts) // 2], parts[len(parts) // 2 :]
    part = parts[0]
    half = len(part.messages) // 2
    if half == 0:
        return None
    return [part._replace(messages=part.messages[:half])], [part._replace(messages=part.messages[half:], first=part.first + half)]


class Stage(Generic[M, R]):
    """Handles the records of an inbox, one batch of a partition at a time."""

    def __init__(
        self,
        kind: Any,
        actors: Actors[M, R],
        codec: Codec[R],
        changelog: str,
        partitions: int,
        publisher: Publisher,
        follower: Follower[R],
    ) -> None:
        self._decode: Callable[[bytes], Pack[M]] = msgspec.msgpack.Decoder(Pack[kind]).decode
        self._actors, self._codec, self._changelog = actors, codec, changelog
        self._partitions, self._publisher = partitions, publisher
        self.follower = follower
        self._recent: dict[int, Recent[R]] = {}
        self.batches = 0
        self.handled = 0
        self.dropped = 0

    async def apply(self, at: Position, table: Table, persisted: int, records: Sequence[Inbound]) -> int:
        """Applies records of one partition; returns the changelog offset that is then persisted."""
        return await self._apply(at, table, persisted, [self._unpacked(record) for record in records])

    async def _apply(self, at: Position, table: Table, persisted: int, parts: list[Part[M]]) -> int:
        if sum(part.size for part in parts) > MESSAGES_MAX and (halves := _halves(parts)):
            return await self._in_turn(at, table, persisted, halves)
        recent = self._recent_of(at.partition, persisted)
        try:
            return await self._applied(at, table, persisted, parts, recent)
        except BaseException:
            recent.doubt()
            raise

    async def _applied(self, at: Position, table: Table, persisted: int, parts: list[Part[M]], recent: Recent[R]) -> int:
        batch = Batch(self, at, table, recent)
        await batch.run(parts)
        rows = batch.rows()
        if appended_size(rows) > APPEND_BYTES:
            recent.doubt()
            if halves := _halves(parts):
                return await self._in_turn(at, table, persisted, halves)
            batch = Batch(self, at, table, recent)
            batch.refuse(parts[0], f"changes more than {APPEND_BYTES} bytes of rows")
            rows = batch.rows()
        if batch.records or batch.outbox:
            await self._publisher.publish(batch.records, batch.outbox.rounds())
        if rows:
            replaced = batch.overlay.replaced()
            persisted = await self._publisher.append(self._changelog, at.partition, rows, persisted)
            table.write(rows, persisted)
            recent.follow(persisted, replaced)
            self.follower.count(at.partition, replaced)
        self.batches += 1
        self.handled += batch.handled
        self.dropped += sum(part.size for part in parts) - batch.handled
        return persisted

    async def _in_turn(self, at: Position, table: Table, persisted: int, pieces: Iterable[list[Part[M]]]) -> int:
        for parts in pieces:
            persisted = await self._apply(at, table, persisted, parts)
        return persisted

    def _recent_of(self, partition: int, persisted: int) -> Recent[R]:
        """The decoded rows of a partition at an offset; none of another one."""
        recent = self._recent.get(partition)
        if recent is None or recent.persisted != persisted:
            recent = self._recent[partition] = Recent(persisted)
        return recent

    def _unpacked(self, record: Inbound) -> Part[M]:
        raw = record.value or b""
        try:
            pack = self._decode(raw)
        except msgspec.DecodeError:
            return Part(record.offset, "", (), raw=raw)
        return Part(record.offset, pack.source, pack.messages)


class Batch(Generic[M, R]):
    """One pass over some messages: rows, messages and cursor as they are after it. Nothing is sent or written here."""

    def __init__(self, stage: Stage[M, R], at: Position, table: Table, recent: Recent[R]) -> None:
        self._actors, self._partition = stage._actors, at.partition
        self.overlay = Overlay(table, stage._codec, recent)
        self.outbox = Outbox(at.source, stage._partitions)
        self.records: list[Record] = []
        self.handled = 0
        raw = table.get(CURSOR)
        self._cursor = _decode_cursor(raw[STAMP:]) if raw is not None else {}
        self._last = -1
        self._pause = time.perf_counter() + YIELD_SECONDS

    async def run(self, parts: Sequence[Part[M]]) -> None:
        """Handles the messages that were not seen before; lets others run about every millisecond."""
        for part in parts:
            if part.raw is None:
                await self._run(part)
            else:
                self.handled += 1
                self._reject(part.raw, part.offset, "not a pack of this inbox")

    async def _run(self, part: Part[M]) -> None:
        if not part.messages:
            return
        seen, at = self._cursor.get(part.source, -1), moment(part.offset, part.first)
        moment(part.offset, part.first + len(part.messages) - 1)
        for number, message in part.messages:
            if number > seen:
                seen = number
                self._handle(at, message)
                if time.perf_counter() > self._pause:
                    await asyncio.sleep(0)
                    self._pause = time.perf_counter() + YIELD_SECONDS
            at += 1
        self._cursor[part.source] = seen

    def refuse(self, part: Part[M], why: str) -> None:
        """Passes over a single message; its body goes to the rejected ones."""
        ((number, message),) = part.messages
        self.handled += 1
        self._cursor[part.source], self._last = number, moment(part.offset, part.first)
        self._reject(msgspec.msgpack.encode(message), part.offset, why)

    def rows(self) -> list[tuple[bytes, bytes]]:
        """The changed rows, the cursor last; nothing when nothing was handled."""
        if self._last < 0:
            return []
        return [*self.overlay.changes(), (CURSOR, stamp(self._last) + _encode_cursor(self._cursor))]

    def _handle(self, at: int, message: M) -> None:
        self.handled += 1
        self._last = at
        self.overlay.begin(at)
        try:
            sent = list(self._actors.handle(message, self.overlay))
            if len(sent) > OUTPUTS:
                raise ValueError(f"sends {len(sent)} messages, more than {OUTPUTS}")
        except (Unreadable, Unusable):
            raise
        except Exception as error:  # the one named edge: what a pure handler cannot handle is rejected, never dropped
            self.overlay.undo()
            self._reject(msgspec.msgpack.encode(message), offset_at(at), f"{type(error).__name__}: {error}")
            return
        for number, out in enumerate(sent, numbers(at)):
            if isinstance(out, Message):
                self.outbox.send(out.topic, out.route, number, out.body)
            else:
                self.records.append(out)

    def _reject(self, body: bytes, offset: int, why: str) -> None:
        self.records.append(self._actors.reject(body, self._partition, offset, why))
