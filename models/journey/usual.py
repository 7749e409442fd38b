"""The usual event of a journey: it is new, no click, and belongs to a journey that is at rest.

`enter` leaves the same rows as the handlers would, in one step. They would send nothing, and tell nobody. Of any other event it
leaves no trace and says so; then they are asked. A law holds it to them.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from models.event import Event
from models.ids import IdentifierKey, UnifiedUserId
from models.journey.outcome import Rows
from models.journey.rows import LIMIT, Entry, Header, entry_key, header_key, id_key
from models.journey.summary import fold

_decode = msgspec.msgpack.Decoder(Event).decode


def enter(uid: UnifiedUserId, anchor: IdentifierKey, occurred_at: int, body: bytes, rows: Rows) -> bool:
    """Enters the event if that is all there is to do."""
    at = header_key(uid)
    header: Any = rows.get(at)
    if header is None or not _is_at_rest(header, anchor, occurred_at):
        return False
    limit: Any = rows.get(LIMIT)
    if limit is not None and occurred_at < limit:
        return False
    event = _decode(body)
    named = id_key(uid, event.event_id)
    if event.click is not None or rows.get(named) is not None:
        return False
    summary = fold(header.summary, event)
    if summary.stages is not header.summary.stages:
        return False
    rows.put(entry_key(uid, event.occurred_at, event.event_id), Entry(anchor, body))
    rows.put(named, event.occurred_at)
    rows.put(at, replace(header, summary=summary))
    return True


def _is_at_rest(header: Header, anchor: IdentifierKey, occurred_at: int) -> bool:
    """A living journey that gives nothing away, and keeps what is anchored on this identifier."""
    if header.state != "live" or header.sweep is not None or occurred_at <= header.not_before.get(anchor, -1):
        return False
    moved = header.moved.get(anchor)
    return moved is None or moved.uid is None
