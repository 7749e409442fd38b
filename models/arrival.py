"""A record that waits before it is read says what it said when it came.

The clock of a sender is set right by when the record came and when it says it was sent (`models.parse`). What waits, at an edge
or among the rejected, comes a second time, hours later; `as_it_came` writes its corrected time into it instead, so that every
later reading gives that of the first.
"""

from datetime import UTC, tzinfo

import msgspec

from models.display import rfc3339
from models.event import Rejected
from models.foreign import UNREADABLE
from models.mapping import ESTIMATED, Places
from models.parse import FUTURE_MS_MAX
from models.surrogates import mended
from models.times import instant
from models.wire import read

CANONICAL = Places(event="event", occurred_at="occurred_at", sent_at="sent_at")

_TABLE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def as_it_came(raw: bytes, places: Places | None, zone: tzinfo, came_at_ms: int) -> bytes:
    """The record with its time, corrected, and without when it was sent. Unchanged: what has no time to correct, or a bad one."""
    wire = read(raw, places)
    if isinstance(wire, Rejected) or (wire.sent_at is None and wire.occurred_at is not None):
        return raw
    sent_at = came_at_ms if wire.sent_at is None else instant(wire.sent_at, zone)
    occurred_at = sent_at if wire.occurred_at is None else instant(wire.occurred_at, zone)
    if sent_at is None or occurred_at is None:
        return raw
    corrected = occurred_at + came_at_ms - sent_at
    if not 0 <= corrected <= came_at_ms + FUTURE_MS_MAX:
        return raw
    where = places or CANONICAL
    record = msgspec.Raw(mended(raw))
    try:
        if where.sent_at and wire.sent_at is not None:
            record = _put(record, where.sent_at.split("."), b"null")
        if not where.occurred_at:
            return raw
        if wire.occurred_at is None:
            record = _put(record, [ESTIMATED], b"true")
        return bytes(_put(record, where.occurred_at.split("."), _encode(rfc3339(corrected, UTC))))
    except UNREADABLE:
        return raw


def as_told(raw: bytes, places: Places | None, zone: tzinfo) -> bytes:
    """A record of a history: when it was sent, long ago, says nothing of a clock, so its time is the one that it tells."""
    wire = read(raw, places)
    sent_at = None if isinstance(wire, Rejected) or wire.sent_at is None else instant(wire.sent_at, zone)
    return raw if sent_at is None else as_it_came(raw, places, zone, sent_at)


def _put(record: msgspec.Raw, place: list[str], value: bytes) -> msgspec.Raw:
    """The record with a value at a place; objects on the way are made where they are missing."""
    name, *rest = place
    members = _TABLE.decode(record)
    inner = members.get(name, msgspec.Raw(b"{}"))
    members[name] = _put(inner, rest, value) if rest else msgspec.Raw(value)
    return msgspec.Raw(_encode(members))
