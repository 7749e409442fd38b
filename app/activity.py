"""Which channels bring events, and what of them is turned away: the last 24 hours, by Kafka's own times.

Nothing is kept for it. How many records a channel's topic got is the distance of two offsets, and when the last one came stands
in it; what was rejected is counted from behaviour.rejected, and what edges held back from edge.filtered. A channel is silent
when no event of it came.
"""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.config import Config
from app.past import begins_of, records_of
from app.settings import Settings
from models.display import rfc3339
from models.edge import read
from models.event import Rejected

WINDOW_MS = 24 * 3_600_000
BUCKET_MS = 60_000
"""Rejections are counted by the minute."""
POLL_MS = 500
POLLS_MAX = 20
COLLECTOR = "collector:"


class Turned(NamedTuple):
    """Something that was turned away: at a channel's topic (its full name), or before it, at the collector's door."""

    source: str
    reason: str


class Rejections:
    """What was rejected lately, by the minute; fed with the records of behaviour.rejected, of any age and in any order."""

    def __init__(self) -> None:
        self._minutes: dict[int, Counter[Turned]] = defaultdict(Counter)

    def count(self, records: Iterable[Any], now_ms: int) -> None:
        """Counts records; what left the window is forgotten."""
        oldest = (now_ms - WINDOW_MS) // BUCKET_MS
        for record in records:
            if record.timestamp // BUCKET_MS >= oldest:
                told = {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
                turned = Turned(told.get("source_topic", ""), told.get("reason", "unknown"))
                self._minutes[record.timestamp // BUCKET_MS][turned] += 1
        for minute in [minute for minute in self._minutes if minute < oldest]:
            del self._minutes[minute]

    def since(self, since_ms: int) -> Counter[Turned]:
        """How many since then, to the minute."""
        found: Counter[Turned] = Counter()
        for minute, counts in self._minutes.items():
            if minute >= since_ms // BUCKET_MS:
                found.update(counts)
        return found


class Came(NamedTuple):
    """What a channel's topic got: records in the window, and when the last one of all came."""

    records: int = 0
    last_ms: int | None = None


async def activity(settings: Settings, config: Config, rejections: Rejections, now_ms: int) -> dict[str, Any]:
    """The document of `/v1/channels`. Raises aiokafka's errors when there is no broker."""
    since_ms = now_ms - WINDOW_MS
    came = await _came(settings, config, since_ms)
    held = await _held(settings, since_ms)
    turned = rejections.since(since_ms)
    zone = ZoneInfo(config.display.time_zone)
    channels = [_channel(settings, config, name, came[name], turned, held[name], now_ms) for name in config.channels]
    heard = sum(not channel["silent"] for channel in channels)
    return {
        "at": rfc3339(now_ms, zone),
        "since": rfc3339(since_ms, zone),
        "coverage": round(100 * heard / len(channels), 2),
        "channels": channels,
    }


async def rejections_of(settings: Settings, now_ms: int) -> Rejections:
    """What was rejected in the window, read from its topic. Raises LookupError where there is no such topic."""
    rejections = Rejections()
    async for record in records_of(settings, f"{settings.prefix}.behaviour.rejected", now_ms - WINDOW_MS):
        rejections.count([record], now_ms)
    return rejections


def _channel(
    settings: Settings, config: Config, name: str, came: Came, turned: Counter[Turned], held: Counter[str], now_ms: int
) -> dict[str, Any]:
    topic = f"{settings.prefix}.{config.channels[name].topic}"
    at_topic = Counter({one.reason: n for one, n in turned.items() if one.source == topic})
    at_door = Counter({one.reason: n for one, n in turned.items() if one.source == COLLECTOR + name})
    events = max(0, came.records - at_topic.total())
    return {
        "channel": name,
        "events": events,
        "rejected": dict(sorted((at_topic + at_door).items())),
        "filtered": dict(sorted(held.items())),
        "last_seen": None if came.last_ms is None else rfc3339(came.last_ms, ZoneInfo(config.display.time_zone)),
        "silent": events == 0,
    }


async def _came(settings: Settings, config: Config, since_ms: int) -> dict[str, Came]:
    names = {f"{settings.prefix}.{channel.topic}": channel.name for channel in config.channels.values()}
    found = dict.fromkeys(config.channels, Came())
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, enable_auto_commit=False, **settings.security)
    try:
        await consumer.start()
        there = await consumer.topics()
        wanted = {topic: config.channels[name].partitions for topic, name in names.items() if topic in there}
        partitions = [TopicPartition(topic, number) for topic, count in wanted.items() for number in range(count)]
        if not partitions:
            return found
        ends, oldest = await consumer.end_offsets(partitions), await consumer.beginning_offsets(partitions)
        begins = await begins_of(consumer, partitions, since_ms)
        times = await _last(consumer, {tp: ends[tp] - 1 for tp in partitions if ends[tp] > oldest[tp]})
    finally:
        await consumer.stop()
    for tp in partitions:
        records, last_ms = found[names[tp.topic]]
        latest = max((at for at in (last_ms, times.get(tp)) if at is not None), default=None)
        found[names[tp.topic]] = Came(records + max(0, ends[tp] - begins[tp]), latest)
    return found


async def _last(consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
    """When the records at these offsets came; a mark of a transaction in their place is no record, and has no time."""
    times: dict[TopicPartition, int] = {}
    if not places:
        return times
    consumer.assign(list(places))
    for tp, offset in places.items():
        consumer.seek(tp, offset)
    waiting = set(places)
    for _ in range(POLLS_MAX):
        for tp, records in (await consumer.getmany(*waiting, timeout_ms=POLL_MS)).items():
            times[tp] = records[-1].timestamp
        waiting = {tp for tp in waiting if await consumer.position(tp) <= places[tp]}
        if not waiting:
            break
    return times


async def _held(settings: Settings, since_ms: int) -> dict[str, Counter[str]]:
    """By channel and reason; an edge that tells twice is counted once."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    told: set[str] = set()
    with contextlib.suppress(LookupError):  # a cluster whose topics an older version made
        async for record in records_of(settings, f"{settings.prefix}.edge.filtered", since_ms):
            summary = read(record.value or b"")
            if not isinstance(summary, Rejected) and summary.id not in told:
                told.add(summary.id)
                found[summary.channel].update(summary.filtered)
    return found
