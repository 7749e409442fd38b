"""Feeds behaviour and requests to the inboxes of a new generation, in the order of the log; a process of its own, since the
generation's app is one.

`python -m app.rebuild.feed FILE URL`: URL is a shadow worker, FILE gets the offsets that were fed, for the workers that go on
from there. Prints how far it is: records fed and records there are, a line each second.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from agents.collect import collect_record
from agents.requests import request_record
from app.instance import BEHAVIOUR, POLICY, REQUESTS, partitions, settings
from app.rebuild.order import Order
from app.rebuild.rest import Rest, resting
from app.rebuild.source import in_order
from app.runtime.packs import Outbox, sequence
from app.runtime.stage import Message, Sent
from app.runtime.topic_ids import topic_ids
from models.identity.messages import Occurred

RUN_MAX = 200
"""Records of one partition that travel as one pack."""
UNDER_WAY_MAX = 5_000
TAIL_MAX = 1_000
"""So few records of the tail are left to the workers that go on."""
TELL_SECONDS = 1.0


class Feeder:
    """One pass. `policy` names the rules, as the collect stage does, so that what it reads again is dropped."""

    def __init__(self, producer: AIOKafkaProducer, ids: Mapping[str, str], rest: Rest) -> None:
        self._producer, self._ids, self._rest = producer, ids, rest
        self._order = Order()
        self._acks: list[Any] = []
        self._source, self._run = "", list[tuple[int, list[Message]]]()
        self.fed = 0

    async def feed(self, record: Any) -> None:
        """One record; it may have to wait until what is before it has arrived."""
        is_request = record.topic == REQUESTS
        sent = list(request_record(record) if is_request else collect_record(record))
        messages = [one for one in sent if isinstance(one, Message)]
        keys = list(chain(*map(_keys, messages)))
        if is_request or (keys and not self._order.admits(keys)) or len(self._acks) >= UNDER_WAY_MAX:
            await self.arrive()
            assert is_request or not keys or self._order.admits(keys)
        await self._send(record, messages, sent, is_request)
        self.fed += 1

    async def arrive(self) -> None:
        """Waits until everything that was fed is handled, and what follows from it."""
        await self._flush()
        for ack in self._acks:
            await ack
        self._acks.clear()
        await self._rest.reached()
        self._order.arrived()

    async def _send(self, record: Any, messages: list[Message], sent: list[Sent], is_request: bool) -> None:
        source = f"{self._ids[record.topic]}/{record.partition}/{'requests' if is_request else POLICY}"
        if source != self._source or len(self._run) >= RUN_MAX:
            await self._flush()
            self._source = source
        self._run.append((record.offset, messages))
        for one in sent:
            if not isinstance(one, Message):
                self._acks.append(await self._producer.send(one.topic, one.value, key=one.key, headers=list(one.headers)))
        if is_request:
            await self.arrive()

    async def _flush(self) -> None:
        outbox = Outbox(self._source, partitions)
        for offset, messages in self._run:
            for output, message in enumerate(messages):
                outbox.send(message.topic, message.route, sequence(offset, 0, output), message.body)
        for packed in chain(*outbox.rounds()):
            self._acks.append(await self._producer.send(packed.topic, packed.value, partition=packed.partition))
        self._run = []


def _keys(message: Message) -> Iterator[str]:
    if isinstance(message.body, Occurred):
        yield from (sighting.key for sighting in message.body.identifiers)


async def run(file: Path, url: str) -> None:
    """Feeds up to the tail, and writes down how far."""
    topics = (*BEHAVIOUR, REQUESTS)
    ids = await topic_ids(settings.bootstrap, settings.security, topics)
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=settings.bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **settings.security,
    )
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, acks="all", enable_idempotence=True, **settings.security)
    async with consumer, producer, resting(url) as rest:
        feeder, told = Feeder(producer, ids, rest), time.monotonic()
        tps = list(consumer.assignment())
        begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        while True:
            wanted = sum(ends.values()) - sum(begins.values())
            async for record in in_order(consumer, ends):
                await feeder.feed(record)
                told = _told(told, feeder.fed, wanted)
            await feeder.arrive()
            later = await consumer.end_offsets(tps)
            if sum(later.values()) - sum(ends.values()) <= TAIL_MAX:
                break
            ends = later
        file.write_bytes(msgspec.json.encode([(tp.topic, tp.partition, end) for tp, end in sorted(ends.items())]))
        _tell(feeder.fed, feeder.fed)


def _told(at: float, fed: int, wanted: int) -> float:
    """Tells it once in a while; when it was told last."""
    if time.monotonic() < at + TELL_SECONDS:
        return at
    _tell(fed, wanted)
    return time.monotonic()


def _tell(fed: int, wanted: int) -> None:
    sys.stdout.write(f"{fed} {wanted}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2]))
