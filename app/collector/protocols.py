"""The languages of the collector: canonical events, those of Segment, PostHog and Sensors Analytics, and what edges tell.

Each reader gives a `Post` or raises `Refusal` (bad_request, too_large). A reader looks at the frame only: a message that is
no good is a matter of its verdict, and never of the others'.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from app.collector.body import GZIP, unpacked
from app.collector.channels import Intake
from app.collector.post import Conversion, Frame, Post, Raw, Read, decoded, limited, lone
from app.web import Refusal
from models import edge, posthog, segment, sensors
from models.canonical import Canonical, encoded, named
from models.event import Rejected
from models.surrogates import mended

CONTEXT_BYTES_MAX = 64 * 1024 * 1024
"""What a batch's own context may add up to when each of its messages gets it."""

FIELDS_MAX = 100
"""Of a form."""
_FIELDS = ("data", "data_list")


class _Batch(msgspec.Struct, gc=False, rename="camel"):
    batch: list[msgspec.Raw]
    context: msgspec.Raw = msgspec.Raw(b"null")
    sent_at: Any = None
    write_key: Any = None


class _PosthogBatch(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw]
    api_key: Any = None
    sent_at: Any = None


class _Keyed(msgspec.Struct, gc=False, rename="camel"):
    write_key: Any = None


_BATCH = msgspec.json.Decoder(_Batch)
_POSTHOG = msgspec.json.Decoder(_PosthogBatch)
_KEYED = msgspec.json.Decoder(_Keyed)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_JSON = msgspec.json.Decoder(msgspec.Raw)

_WANTED_BATCH = 'send {"batch": [messages]}'
_WANTED_MESSAGE = "send one message, a JSON object"
_WANTED_FORM = "send a form with data or data_list: JSON, in base64, packed with gzip or not"
_WANTED_EVENTS = "send one event, an array of events, or one event a line"


def segment_batch(body: bytes) -> Post:
    """`{"batch": [...], "context": ..., "sentAt": ..., "writeKey": ...}`"""
    batch: _Batch = decoded(_BATCH, body, _WANTED_BATCH)
    messages = limited(batch.batch)
    if len(bytes(batch.context)) * len(messages) > CONTEXT_BYTES_MAX:
        raise Refusal("too_large", "the batch's context is too large for so many messages; send fewer at once")
    frame = Frame(envelope=segment.Envelope(segment.table(batch.context), batch.sent_at))
    return Post("segment", messages, batch.write_key, frame)


def segment_message(kind: str, body: bytes) -> Post:
    """One message of the type that the address says."""
    message = mended(lone(body.strip()))
    keyed: _Keyed = decoded(_KEYED, message, _WANTED_MESSAGE)
    return Post("segment", (message,), keyed.write_key, Frame(kind))


def events(body: bytes) -> Post:
    """One canonical event, an array of them, or JSON Lines; in a list the write key is that of the first."""
    text = body.strip()
    if text.startswith(b"["):
        messages = limited(decoded(_LIST, text, _WANTED_EVENTS))
    elif text.startswith(b"{") and _is_json(text):
        messages = (lone(text),)
    else:
        messages = limited(list(_lines(text)))
    return Post("canonical", messages, _write_key(messages[0]) if messages else None)


def posthog_batch(body: bytes) -> Post:
    """`{"api_key": ..., "batch": [...], "sent_at": ...}`"""
    batch: _PosthogBatch = decoded(_POSTHOG, body, _WANTED_BATCH)
    return Post("posthog", limited(batch.batch), batch.api_key, Frame(envelope=segment.Envelope(sent_at=batch.sent_at)))


def sensors_form(body: bytes) -> Post:
    """A form whose `data` is one message and whose `data_list` is a list of them."""
    form = _form(body)
    if "data" in form:
        text = mended(lone(form["data"]))
        messages: Sequence[Raw] = (decoded(_JSON, text, _WANTED_FORM),)
    else:
        text = form.get("data_list", b"")
        messages = limited(decoded(_LIST, text, _WANTED_FORM))
    return Post("sensors", messages, None, unpacked_bytes=len(text))


def filtered(body: bytes) -> Post:
    """What an edge held back in a while: one summary (`models/edge.py`)."""
    message = lone(body.strip())
    decoded(_JSON, message, "send one summary, a JSON object")
    return Post("filtered", (message,), None)


def _form(body: bytes) -> dict[str, bytes]:
    """The fields of a form that hold messages, unpacked. Raises `Refusal`."""
    try:
        fields = dict(parse_qsl(body.decode("ascii"), max_num_fields=FIELDS_MAX))
        packed = {name: base64.b64decode(fields[name].replace(" ", "+"), validate=True) for name in _FIELDS if name in fields}
    except ValueError as error:
        raise Refusal("bad_request", _WANTED_FORM) from error
    return {name: (unpacked(raw) if raw.startswith(GZIP) else raw).strip() for name, raw in packed.items()}


def _of_posthog(raw: bytes, frame: Frame, intake: Intake, by_chance: str) -> bytes | Rejected:
    given = posthog.read(raw)
    if isinstance(given, Rejected):
        return given
    return encoded(posthog.event_of(given, frame.envelope.sent_at, intake.dialect.names), intake.name, by_chance)


def _of_sensors(raw: bytes, frame: Frame, intake: Intake, by_chance: str) -> bytes | sensors.Parting | Rejected:
    message = sensors.read(raw)
    if isinstance(message, Rejected):
        return message
    event = sensors.event_of(message, intake.dialect.names)
    return encoded(event, intake.name, by_chance) if isinstance(event, Canonical) else event


def _of_segment(raw: bytes, frame: Frame, intake: Intake, by_chance: str) -> bytes | Rejected:
    message = segment.read(raw)
    if isinstance(message, Rejected):
        return message
    event = segment.event_of(message, frame.kind, frame.envelope, intake.dialect)
    return event if isinstance(event, Rejected) else encoded(event, intake.name, by_chance)


def _of_edge(raw: bytes, frame: Frame, intake: Intake, by_chance: str) -> edge.Summary | Rejected:
    return edge.read(raw)


def _as_it_came(raw: bytes, frame: Frame, intake: Intake, by_chance: str) -> bytes | Rejected:
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


CONVERSIONS: Mapping[str, Conversion] = {
    "canonical": _as_it_came,
    "segment": _of_segment,
    "posthog": _of_posthog,
    "sensors": _of_sensors,
    "filtered": _of_edge,
}
"""Protocol of a post -> how one of its messages becomes a canonical event."""
SEGMENT_TYPES: Mapping[str, tuple[str, str]] = {name: (name, name[0]) for name in sorted(segment.TYPES)}
ROUTES: Mapping[str, Read] = {
    "/v1/batch": segment_batch,
    "/v1/b": segment_batch,
    "/v1/events": events,
    "/batch": posthog_batch,
    "/v1/filtered": filtered,
    "/sa": sensors_form,
    **{f"/v1/{path}": partial(segment_message, kind) for kind, paths in SEGMENT_TYPES.items() for path in paths},
}
"""Path -> how its body is read. The browser calls `track` `t`, and so on."""
