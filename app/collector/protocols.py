"""The two languages of the collector: Segment's, and canonical events.

Each reader gives a `Post` or raises `Refusal` (bad_request, too_large). A reader looks at the frame only: a message that is
no good is a matter of its verdict, and never of the others'.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from app.collector.body import mended
from app.collector.channels import Intake
from app.collector.post import Post, Raw, Read, decoded, limited, lone
from app.web import Refusal
from models import segment
from models.canonical import encoded, named
from models.event import Rejected

CONTEXT_BYTES_MAX = 64 * 1024 * 1024
"""What a batch's own context may add up to when each of its messages gets it."""


class _Batch(msgspec.Struct, gc=False, rename="camel"):
    batch: list[msgspec.Raw]
    context: msgspec.Raw = msgspec.Raw(b"null")
    sent_at: Any = None
    write_key: Any = None


class _Keyed(msgspec.Struct, gc=False, rename="camel"):
    write_key: Any = None


_BATCH = msgspec.json.Decoder(_Batch)
_KEYED = msgspec.json.Decoder(_Keyed)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_JSON = msgspec.json.Decoder(msgspec.Raw)

_WANTED_BATCH = 'send {"batch": [messages]}'
_WANTED_MESSAGE = "send one message, a JSON object"
_WANTED_EVENTS = "send one event, an array of events, or one event a line"


def segment_batch(body: bytes) -> Post:
    """`{"batch": [...], "context": ..., "sentAt": ..., "writeKey": ...}`"""
    batch: _Batch = decoded(_BATCH, body, _WANTED_BATCH)
    messages = limited(batch.batch)
    if len(bytes(batch.context)) * len(messages) > CONTEXT_BYTES_MAX:
        raise Refusal("too_large", "the batch's context is too large for so many messages; send fewer at once")
    envelope = segment.Envelope(segment.table(batch.context), batch.sent_at)
    return Post("segment", messages, partial(_of_segment, None, envelope), batch.write_key)


def segment_message(kind: str, body: bytes) -> Post:
    """One message of the type that the address says."""
    message = mended(lone(body.strip()))
    keyed: _Keyed = decoded(_KEYED, message, _WANTED_MESSAGE)
    return Post("segment", (message,), partial(_of_segment, kind, segment.Envelope()), keyed.write_key)


def events(body: bytes) -> Post:
    """One canonical event, an array of them, or JSON Lines; in a list the write key is that of the first."""
    text = body.strip()
    if text.startswith(b"["):
        messages = limited(decoded(_LIST, text, _WANTED_EVENTS))
    elif text.startswith(b"{") and _is_json(text):
        messages = (lone(text),)
    else:
        messages = limited(list(_lines(text)))
    return Post("canonical", messages, _as_it_came, _write_key(messages[0]) if messages else None)


def _of_segment(kind: str | None, envelope: segment.Envelope, raw: bytes, intake: Intake, by_chance: str) -> bytes | Rejected:
    message = segment.read(raw)
    if isinstance(message, Rejected):
        return message
    event = segment.event_of(message, kind, envelope, intake.dialect)
    return event if isinstance(event, Rejected) else encoded(event, intake.name, by_chance)


def _as_it_came(raw: bytes, intake: Intake, by_chance: str) -> bytes | Rejected:
    """With an id; but records of a channel with a format of its own are its business."""
    return raw if intake.has_own_format else named(mended(raw), intake.name, by_chance)


def _lines(text: bytes) -> Iterator[Raw]:
    """The lines that hold something. Raises `Refusal` when not one of them is JSON."""
    lines = [line for line in map(bytes.strip, text.splitlines()) if line]
    if len(lines) < 2 or not any(map(_is_json, lines)):
        raise Refusal("bad_request", f"the body is not JSON in UTF-8; {_WANTED_EVENTS}")
    yield from lines


def _is_json(text: bytes) -> bool:
    try:
        _JSON.decode(text)
    except RecursionError:
        return True  # it is, and too deep: that is the verdict on it
    except (msgspec.DecodeError, UnicodeDecodeError):
        whole = mended(text)
        return whole != text and _is_json(whole)
    return True


def _write_key(raw: Raw) -> object:
    try:
        return _KEYED.decode(raw).write_key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


SEGMENT_TYPES: Mapping[str, tuple[str, str]] = {name: (name, name[0]) for name in sorted(segment.TYPES)}
ROUTES: Mapping[str, Read] = {
    "/v1/batch": segment_batch,
    "/v1/b": segment_batch,
    "/v1/events": events,
    **{f"/v1/{path}": partial(segment_message, kind) for kind, paths in SEGMENT_TYPES.items() for path in paths},
}
"""Path -> how its body is read. The browser calls `track` `t`, and so on."""
