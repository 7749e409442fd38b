"""Rejected records, as they came, and once more through.

They hold what people sent, so only administrators see them; sending one again is what `onetrail rejected --retry` does.
"""

from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.commands.rejected_topic import Place, Refused
from app.commands.retrying import Retrying
from app.console.door import Visit, demand_administrator
from app.instance import REJECTED, app, config, settings
from app.rejects import rejects
from app.runtime.durable import Record
from app.web import Refusal

RECORDS_SHOWN, READ_SECONDS = 20, 5.0
RAW_SHOWN_MAX = 4_000


class Shown(NamedTuple):
    """A rejected record as it is shown; `again` = it can be sent once more."""

    place: Place
    document: dict[str, object]
    raw: str | None
    is_whole: bool
    again: bool


_retrying = Retrying(settings, config)


async def rejected_records(visit: Visit) -> list[Shown]:
    """The newest rejected records of a reason."""
    demand_administrator(visit)
    if visit.is_masked:
        raise Refusal("forbidden", visit.text("house.masked"))
    places = [Place(*place) for place in rejects.latest(visit.query("reason"))[:RECORDS_SHOWN]]
    return [_shown(record) for record in await _read(places)]


async def send_again(visit: Visit, partition: str, offset: str) -> str:
    """The topic that a record was sent to once more."""
    demand_administrator(visit)
    if not (partition.isascii() and partition.isdigit() and offset.isascii() and offset.isdigit()):
        raise Refusal("bad_request", visit.text("house.no_record"))
    found = await _read([Place(int(partition[:9]), int(offset[:18]))])
    sent = _retrying.aimed(found[0]) if found else None
    if sent is None:
        raise Refusal("not_found", visit.text("house.no_record"))
    await app.durable.publish([Record(sent.topic, sent.key, sent.value, headers=sent.headers)], [])
    return sent.topic


def _shown(record: Refused) -> Shown:
    document = record.document()
    raw = None if record.raw is None else str(document["raw"])
    whole = raw is None or len(raw) <= RAW_SHOWN_MAX
    again = _retrying.aimed(record) is not None
    return Shown(record.place, document, raw if raw is None or whole else raw[:RAW_SHOWN_MAX], whole, again)


async def _read(places: list[Place]) -> list[Refused]:
    """The records at these places, as far as they are still there."""
    if not places:
        return []
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, enable_auto_commit=False, **settings.security)
    await consumer.start()
    try:
        partitions = {place.partition: TopicPartition(REJECTED, place.partition) for place in places}
        consumer.assign(list(partitions.values()))
        begins = await consumer.beginning_offsets(list(partitions.values()))
        ends = await consumer.end_offsets(list(partitions.values()))
        there = [p for p in places if begins[partitions[p.partition]] <= p.offset < ends[partitions[p.partition]]]
        return [found for place in there if (found := await _one(consumer, partitions[place.partition], place)) is not None]
    finally:
        await consumer.stop()


async def _one(consumer: AIOKafkaConsumer, partition: TopicPartition, place: Place) -> Refused | None:
    consumer.seek(partition, place.offset)
    found = await consumer.getmany(partition, timeout_ms=int(READ_SECONDS * 1000), max_records=1)
    for record in found.get(partition, ()):
        headers = {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
        return Refused(Place(record.partition, record.offset), record.timestamp, headers, record.value)
    return None
