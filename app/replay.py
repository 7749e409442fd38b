"""Sends a sequence of records to Kafka once: acknowledged, remembered, resumed.

What was sent is remembered as a count and a digest of those values, for the very topics (by their ids) they went to. The
next run of the same sequence skips them if they are still what it begins with: so a sequence may grow at its end, and one
that changed, or whose topics were made anew, is sent from its beginning. A crash repeats at most the last chunk, and event
ids make that harmless.
"""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from app.runtime.topic_ids import topic_ids
from app.settings import Settings

CHUNK_RECORDS = 2_000
"""Sent before their acknowledgements are awaited and they are remembered."""
PACED_CHUNKS_PER_SECOND = 10
LINGER_MS = 5
STOP_SECONDS_MAX = 10.0
BATCH_BYTES = 262_144
RECORD_BYTES_MAX = 1_048_000
"""A little below what a topic takes, for the batch around a record."""


class Outgoing(NamedTuple):
    """A record for a topic (its full name); records of one key stay in order. Not `fit`: it will be rejected there."""

    topic: str
    key: bytes | None
    value: bytes
    fit: bool = True
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Sent:
    """How a replay went. `earlier`: sent by a run before; `too_large`: the positions of records that Kafka does not take."""

    records: int = 0
    earlier: int = 0
    unfit: int = 0
    too_large: list[int] = field(default_factory=list)


class Memory:
    """What of one sequence was sent; a small file, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self.records, self._kept = self._load()

    @classmethod
    async def of(cls, settings: Settings, what: str, topics: Collection[str]) -> Self:
        """The memory of the sequence `what` into these topics of this cluster. Raises LookupError for a missing topic."""
        ids = await topic_ids(settings.bootstrap, settings.security, topics)
        name = hashlib.sha256("\n".join([what, *sorted(ids.values())]).encode()).hexdigest()[:32]
        return cls(settings.data / "replay" / f"{name}.json")

    def _load(self) -> tuple[int, str]:
        try:
            kept = json.loads(self._path.read_text())
            return int(kept["records"]), str(kept["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, ""

    def resume(self, again: Callable[[], Iterator[Outgoing]]) -> Iterator[Outgoing]:
        """What is left of the sequence; `again` begins it anew."""
        records = again()
        for record in islice(records, self.records):
            self._digest.update(record.value + b"\n")
        if self.records and self._digest.hexdigest() == self._kept:
            return records
        self.records, self._digest = 0, hashlib.sha256()
        return again()

    def forget(self) -> None:
        """Nothing was sent."""
        self.records, self._kept = 0, ""

    def add(self, chunk: Iterable[Outgoing]) -> None:
        """These were sent too."""
        for record in chunk:
            self._digest.update(record.value + b"\n")
            self.records += 1
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps({"records": self.records, "digest": self._digest.hexdigest()}))
        new.replace(self._path)


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """An idempotent producer, acknowledged by all copies. Raises aiokafka's errors when there is no broker."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=LINGER_MS,
        max_batch_size=BATCH_BYTES,
        max_request_size=RECORD_BYTES_MAX,
        **settings.security,
    )
    try:
        await producer.start()
        yield producer
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(producer.stop(), STOP_SECONDS_MAX)  # without a broker it would try for long


async def replay(
    producer: AIOKafkaProducer,
    again: Callable[[], Iterator[Outgoing]],
    memory: Memory,
    report: Callable[[int], None],
    rate: int | None = None,
) -> Sent:
    """Sends what was not sent yet, at most `rate` records a second; `report` gets the count so far, earlier ones included.

    Kafka's errors, other than that a record is too large, are raised; what was acknowledged before is remembered.
    """
    rest = memory.resume(again)
    sent = Sent(earlier=memory.records)
    report(sent.earlier)
    size = CHUNK_RECORDS if rate is None else max(1, min(CHUNK_RECORDS, rate // PACED_CHUNKS_PER_SECOND))
    began = time.monotonic()
    while chunk := list(islice(rest, size)):
        sent.too_large += await send(producer, chunk, sent.earlier + sent.records + 1)
        memory.add(chunk)
        sent.records += len(chunk)
        sent.unfit += sum(not record.fit for record in chunk)
        report(sent.earlier + sent.records)
        if rate is not None:
            await asyncio.sleep(began + sent.records / rate - time.monotonic())
    return sent


async def send(producer: AIOKafkaProducer, records: Iterable[Outgoing], first: int = 1) -> list[int]:
    """Returns when all are acknowledged; the positions, counted from `first`, of those that are too large to be sent."""
    acks = [await _enqueue(producer, record) for record in records]
    answers = await asyncio.gather(*(ack for ack in acks if ack is not None), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [position for position, ack in enumerate(acks, first) if ack is None]


async def _enqueue(producer: AIOKafkaProducer, record: Outgoing) -> asyncio.Future[object] | None:
    """The coming acknowledgement; None = the record is too large."""
    try:
        ack: asyncio.Future[object] = await producer.send(
            record.topic, record.value, key=record.key, headers=list(record.headers)
        )
    except MessageSizeTooLargeError:
        return None
    return ack


def outgoing(line: bytes, place: str | None, topic: str) -> Outgoing:
    """A line as a record, keyed by its first identifier. `place` makes an event id for an event without; None = leave it."""
    try:
        document = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Outgoing(topic, None, line, fit=False)
    if not isinstance(document, dict):
        return Outgoing(topic, None, line, fit=False)
    if place is not None and document and document.get("event_id") is None:
        made = hashlib.sha256(place.encode(errors="surrogateescape") + line).hexdigest()[:32]
        line = line[:-1] + b',"event_id":"replay-%s"}' % made.encode()
    return Outgoing(topic, first_identifier(document.get("identifiers")), line)


def first_identifier(identifiers: object) -> bytes | None:
    """The value of the first one, which keeps the events of a person in order as long as it is the same."""
    value = next(iter(identifiers.values()), None) if isinstance(identifiers, dict) else None
    if isinstance(value, list):
        value = value[0] if value else None
    return str(value).encode(errors="replace") if isinstance(value, str | int) else None
