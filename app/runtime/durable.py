"""Sends that are acknowledged, or the process ends.

A stage is the only writer of its changelog partition. So an append must land right behind what is persisted; if it does
not, somebody else wrote there: a worker that lost the partition without knowing it, or its successor. Both end before
they touch their rows (*fenced*), and recovery sorts it out.
"""

import os
import sys
import traceback
import zlib
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from faust.transport.drivers import aiokafka as driver

from app.runtime.packs import Packed

EXIT_FENCED, EXIT_BROKEN, EXIT_UNUSABLE, EXIT_STUCK = 70, 71, 72, 73
"""A fenced worker may start again at once; whatever else ended it may end it again, and an unusable state will. Stuck: see
`app.runtime.watchdog`."""
APPEND_BYTES = 4_000_000
"""One append is one record batch, hence all or nothing; a stage cuts its work so that it fits."""
RECORDS_BYTES = 500_000
"""Of records for the outside in one batch; their topics take twice as much."""


def appended_size(rows: Sequence[tuple[bytes, bytes]]) -> int:
    """The most that (key, value) rows take up in an append, in bytes."""
    return sum(map(len, chain.from_iterable(rows))) + 24 * len(rows)


class Fenced(Exception):
    """Somebody else wrote to a changelog partition that is ours alone."""


class Superseded(Fenced):
    """Another state of the log is in use; one sentence."""


class Unusable(Exception):
    """The state is not for this program; one sentence."""


class TooLarge(Exception):
    """The rows of one batch do not fit into one append."""


class Record(NamedTuple):
    """A record for the outside; `partition` None = by the hash of its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


def _cuts(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Records in pieces that a topic takes as one batch; one that is larger travels alone."""
    piece: list[Record] = []
    size = 0
    for record in records:
        weight = len(record.key or b"") + len(record.value or b"") + sum(len(n) + len(v) + 4 for n, v in record.headers) + 32
        if piece and size + weight > RECORDS_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(record)
        size += weight
    if piece:
        yield piece


def die(why: BaseException) -> None:
    """Ends the process at once, without finishing anything: a restart repeats from what is durable."""
    if isinstance(why, Superseded | Unusable):
        sys.stderr.write(f"worker ends: {why}\n")
    else:
        traceback.print_exception(why, file=sys.stderr)
        sys.stderr.write(f"worker ends: {type(why).__name__}: {why}\n")
    sys.stderr.flush()
    os._exit(EXIT_FENCED if isinstance(why, Fenced) else EXIT_UNUSABLE if isinstance(why, Unusable) else EXIT_BROKEN)


class Producer(driver.Producer):
    """Faust's producer, idempotent, with publishing in rounds and fenced appends."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    async def publish(self, records: Sequence[Record], rounds: Iterable[Sequence[Packed]]) -> None:
        """Sends records and packs; returns when all are acknowledged. A round waits for the one before it."""
        client = self._ensure_producer()
        acks = await self._send(client, records) if records else []
        for packs in rounds:
            acks += [await client.send(p.topic, p.value, partition=p.partition) for p in packs]
            while acks:
                await acks.pop()
        for ack in acks:
            await ack

    async def _send(self, client: AIOKafkaProducer, records: Sequence[Record]) -> list[Awaitable[Any]]:
        """Sends records in batches of their partitions, which costs a tenth of sending each; returns what to wait for.

        The partition is the CRC-32 of the key: the client's own hash is a loop in Python.
        """
        groups: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            partition = record.partition
            if partition is None:
                partition = zlib.crc32(record.key or record.value or b"") % len(await client.partitions_for(record.topic))
            groups.setdefault((record.topic, partition), []).append(record)
        acks = []
        for (topic, partition), group in groups.items():
            for cut in _cuts(group):
                batch = client.create_batch()
                for record in cut:
                    batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
                batch.close()
                acks.append(await client.send_batch(batch, topic, partition=partition))
        return acks

    async def append(self, topic: str, partition: int, rows: Sequence[tuple[bytes, bytes]], last: int) -> int:
        """Appends (key, value) rows behind offset `last` as one batch; the new last offset.

        TooLarge: they do not fit, nothing was sent. Fenced: the batch landed elsewhere.
        """
        client = self._ensure_producer()
        batch = client.create_batch()
        for key, value in rows:
            if batch.append(key=key, value=value, timestamp=None) is None:
                raise TooLarge(f"{len(rows)} rows for {topic}/{partition}")
        batch.close()
        landed = await (await client.send_batch(batch, topic, partition=partition))
        if landed.offset != last + 1:
            raise Fenced(f"{topic}/{partition}: expected offset {last + 1}, landed at {landed.offset}")
        return last + len(rows)
