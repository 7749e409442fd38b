"""What a stage turns away goes to behaviour.rejected as the bytes that it came as: they are fetched from its topic once more.

An event travels without its bytes and without its place in Kafka: all events would pay for them, and few are turned away by a
stage. What it bears is its id and the broker's time of its record, and by these the record is found. Where it is gone, or Kafka
does not tell in time, the event itself is told, as JSON, with the place -1; a stage waits for nobody's bytes for long.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from app.reading import Reading, carried
from app.rejection import EVENT_ID
from app.runtime.durable import Record
from app.runtime.station import Outgoing
from models.event import Event
from models.times import instant

log = logging.getLogger(__name__)

SECONDS_MAX, RETRY_SECONDS = 5.0, 0.5
SPAN_MS = 10_000
"""What lies further apart is sought on its own."""
POLL_MS = 200


class Trace(NamedTuple):
    """What is known of a record: the broker's time in UTC milliseconds, and the id of the event that was in it."""

    at_ms: int
    event_id: str


class Originals:
    """Finds records of behaviour topics; `partitions` by topic, `consumer` makes one without a group."""

    def __init__(self, reading: Reading, partitions: Mapping[str, int], consumer: Callable[[], AIOKafkaConsumer]) -> None:
        self._reading, self._partitions, self._consumer = reading, partitions, consumer

    async def restored(self, records: Sequence[Record]) -> list[Record]:
        """The same records, with the bytes and the place of those that can be found."""
        wanted: dict[tuple[str, int], set[Trace]] = {}
        for record in filter(is_reduced, records):
            topic, trace = _sought(record)
            wanted.setdefault((topic, trace.at_ms // SPAN_MS), set()).add(trace)
        found = await self._patiently(wanted)
        return [_whole(record, found.get(_sought(record))) if is_reduced(record) else record for record in records]

    async def _patiently(self, wanted: Mapping[tuple[str, int], set[Trace]]) -> dict[tuple[str, Trace], Any]:
        """While Kafka is away there is no hurry: what is sent next would wait for it too."""
        while True:
            try:
                return await self._search(wanted)
            except KafkaConnectionError:
                await asyncio.sleep(RETRY_SECONDS)
            except (KafkaError, TimeoutError) as error:
                log.warning("the raw bytes of some records that were turned away are not fetched: %r", error)
                return {}

    async def _search(self, wanted: Mapping[tuple[str, int], set[Trace]]) -> dict[tuple[str, Trace], Any]:
        found: dict[tuple[str, Trace], Any] = {}
        consumer = self._consumer()
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await consumer.start()
                for (topic, _), traces in wanted.items():
                    originals = await self._find(consumer, topic, traces)
                    found |= {(topic, trace): record for trace, record in originals.items()}
        finally:
            await consumer.stop()
        return found

    async def _find(self, consumer: AIOKafkaConsumer, topic: str, traces: set[Trace]) -> dict[Trace, Any]:
        """Reads each partition from the first of the times to the last."""
        times = {trace.at_ms for trace in traces}
        tps = [TopicPartition(topic, number) for number in range(self._partitions.get(topic, 0))]
        consumer.assign(tps)
        begins, ends = await consumer.offsets_for_times(dict.fromkeys(tps, min(times))), await consumer.end_offsets(tps)
        for tp in tps:
            consumer.seek(tp, ends[tp] if begins[tp] is None else begins[tp].offset)
        found: dict[Trace, Any] = {}
        unread = {tp for tp in tps if begins[tp] is not None}
        while unread and len(found) < len(traces):
            for tp, records in (await consumer.getmany(*unread, timeout_ms=POLL_MS)).items():
                found = self._told(records, traces, times) | found
                if records[-1].timestamp > max(times) or records[-1].offset >= ends[tp] - 1:
                    unread.discard(tp)
        return found

    def _told(self, records: Iterable[Any], traces: set[Trace], times: set[int]) -> dict[Trace, Any]:
        """Of an event that came twice at the same moment, the first record."""
        found: dict[Trace, Any] = {}
        for record in records:
            event = self._reading.event(record) if record.timestamp in times else None
            if isinstance(event, Event) and (trace := Trace(record.timestamp, event.event_id)) in traces:
                found.setdefault(trace, record)
        return found


class Restoring(Outgoing):
    """A way out on which what was turned away gets its bytes back."""

    def __init__(self, app: Any, originals: Originals) -> None:
        super().__init__(app)
        self._originals = originals

    async def publish(self, records: Sequence[Record], rounds: Any) -> None:
        """See `Producer.publish`."""
        if any(map(is_reduced, records)):
            records = await self._originals.restored(records)
        await super().publish(records, rounds)


def is_reduced(record: Record) -> bool:
    """Whether a record tells of an event without its bytes."""
    return len(record.headers) > 0 and record.headers[-1][0] == EVENT_ID


def _sought(record: Record) -> tuple[str, Trace]:
    """The topic of a reduced record's event, and what is known of it there."""
    told = {name: value.decode() for name, value in record.headers}
    at = instant(told["at"], UTC)
    assert at is not None, "we wrote it"
    return told["source_topic"], Trace(at, told[EVENT_ID])


def _whole(record: Record, original: Any) -> Record:
    if original is None:
        return record
    place = {
        "source_partition": str(original.partition).encode(),
        "source_offset": str(original.offset).encode(),
    }
    headers = tuple((name, place.get(name, value)) for name, value in record.headers)
    return record._replace(value=original.value, headers=(*carried(original.headers), *headers))
