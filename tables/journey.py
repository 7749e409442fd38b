"""The questions about journeys that lookups ask of one partition."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from app.runtime.rows import Partition
from models.event import Event
from models.ids import EventId, UnifiedUserId
from models.journey.rows import (
    TIMELINES,
    Entry,
    Header,
    entry_key,
    header_key,
    id_key,
    place_of,
    timeline,
)
from models.journey.summary import Place
from models.people import Row
from tables.codec import codec

HEADERS = b"h|"
_event = msgspec.msgpack.Decoder(Event).decode


class Window(NamedTuple):
    """Which entries of a timeline are asked for: `since` inclusive, `before` exclusive (UTC ms), behind `after`."""

    since: int | None = None
    before: int | None = None
    after: Place | None = None
    descending: bool = False


def header_of(partition: Partition, uid: UnifiedUserId) -> Header | None:
    """The header of a journey, None when there is none."""
    body = partition.body(header_key(uid))
    row = None if body is None else codec.decode(HEADERS, body)
    assert row is None or isinstance(row, Header)
    return row


def known_of(partition: Partition, uid: UnifiedUserId, event_ids: Iterable[EventId]) -> list[EventId]:
    """Those of the ids that are of events in this timeline."""
    return [event_id for event_id in event_ids if partition.body(id_key(uid, event_id)) is not None]


def entries_of(partition: Partition, uid: UnifiedUserId, window: Window, limit: int) -> list[Entry]:
    """At most `limit` entries of a timeline in the order of the window."""
    prefix = timeline(uid)
    start, stop = _bounds(uid, window)
    rows = partition.bodies(prefix, start=start, backwards=window.descending, limit=limit + 1)
    entries = []
    for key, body in rows:
        beyond = stop is not None and (key < stop if window.descending else key >= stop)
        if beyond:
            break
        if window.after is None or place_of(key) != tuple_of(window.after):
            entry = codec.decode(TIMELINES, body)
            assert isinstance(entry, Entry)
            entries.append(entry)
    return entries[:limit]


def event_of(entry: Entry) -> Event:
    """The event of an entry."""
    event = _event(entry.body)
    return msgspec.structs.replace(event, repeat_count=entry.repeats) if entry.repeats else event


def tuple_of(place: Place) -> tuple[int, str]:
    """A place as the pair that it is compared by."""
    return place.occurred_at, place.event_id


def _bounds(uid: UnifiedUserId, window: Window) -> tuple[bytes | None, bytes | None]:
    """The keys where a scan begins and ends; the end is exclusive upwards and inclusive downwards."""
    prefix = timeline(uid)
    low = prefix if window.since is None else prefix + f"{window.since:015d}|".encode()
    high = None if window.before is None else prefix + f"{window.before:015d}|".encode()
    after = None if window.after is None else entry_key(uid, window.after.occurred_at, window.after.event_id)
    if window.descending:
        ends = [key for key in (high, after) if key is not None]
        return (min(ends) if ends else None), low
    return (max(low, after) if after is not None else low), high


def events(row: Row) -> int:
    """The events that a journey's header counts; 0 for other rows."""
    return row.summary.events if isinstance(row, Header) else 0
