"""The canonical event as it stands on the wire: strict JSON, one object, nothing judged yet.

Bytes that are no JSON are refused here, before anything is looked at: invalid UTF-8, NaN, and nesting beyond `DEPTH_MAX`,
which would break whoever reads the event later. Half a surrogate pair, left by senders that cut texts in the middle of an
emoji, is replaced by U+FFFD: with it the event would break every answer that holds it.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from models.event import Rejected
from models.mapping import Places, fields_of, identifiers_of
from models.surrogates import mended

DEPTH_MAX = 100
BYTES_MAX = 32_768

_EMPTY = msgspec.Raw(b"{}")


class Wire(msgspec.Struct, frozen=True, gc=False):
    """The fields of a canonical event, unjudged; what has any type is judged by whoever reads it."""

    event: Any = None
    event_id: Any = None
    occurred_at: Any = None
    sent_at: Any = None
    time_estimated: Any = None
    """true: whoever wrote `occurred_at` was not told it."""
    identifiers: Any = None
    properties: msgspec.Raw = _EMPTY
    traits: msgspec.Raw = _EMPTY
    context: msgspec.Raw = _EMPTY


_JUDGED = ("event", "event_id", "occurred_at", "sent_at", "time_estimated", "identifiers")
_WIRE = msgspec.json.Decoder(Wire)
_TABLE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_VALID = msgspec.json.Decoder(msgspec.Raw)
_ANY = msgspec.json.Decoder()
_UNREADABLE = object()
"""Stands for a number beyond all bounds, such as 1e999: it is there, and it is of no type that anybody wants."""

_NOT_JSON = Rejected("not_json", "a record is one JSON object in UTF-8")
_NO_OBJECT = Rejected("not_an_object", "a record is one JSON object, not another JSON value")
_NO_RECORD = Rejected("not_json", "a null record holds no event")
_TOO_DEEP = Rejected("not_json", f"JSON is nested at most {DEPTH_MAX} deep")
_TOO_LARGE = Rejected("too_large", f"an event has at most {BYTES_MAX} bytes")

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def read(raw: bytes | None, places: Places | None) -> Wire | Rejected:
    """The fields of a record, by `places` when its format is its own."""
    if raw is None:
        return _NO_RECORD
    if len(raw) > BYTES_MAX:
        return _TOO_LARGE
    raw = mended(raw)
    try:
        if not raw.isascii():
            raw.decode()
        wire = _canonical(raw) if places is None else _mapped(raw, places)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NOT_JSON
    except RecursionError:
        return _TOO_DEEP
    return _TOO_DEEP if raw.count(b"{") + raw.count(b"[") > DEPTH_MAX and _is_deep(raw) else wire


def _canonical(raw: bytes) -> Wire | Rejected:
    try:
        return _WIRE.decode(raw)
    except msgspec.ValidationError:
        return _by_field(_TABLE.decode(raw)) if _is_object(raw) else _NO_OBJECT


def _mapped(raw: bytes, places: Places) -> Wire | Rejected:
    if not _is_object(raw):
        return _NO_OBJECT
    record = msgspec.Raw(raw)
    identifiers = {namespace: _value(value) for namespace, value in identifiers_of(record, places).items()}
    return msgspec.structs.replace(_by_field(fields_of(record, places)), identifiers=identifiers)


def _is_object(raw: bytes) -> bool:
    """Whether JSON is an object; raises DecodeError where it is no JSON at all."""
    return bytes(_VALID.decode(raw)).startswith(b"{")


def _by_field(fields: Mapping[str, msgspec.Raw]) -> Wire:
    """What one decoding of the whole cannot do: a value that has no meaning spoils its own field only."""
    raws = {name: fields[name] for name in ("properties", "traits", "context") if name in fields}
    values = {name: _value(fields[name]) for name in _JUDGED if name in fields}
    return Wire(**values, **raws)


def _value(raw: msgspec.Raw) -> Any:
    try:
        return _ANY.decode(raw)
    except msgspec.ValidationError:
        return _UNREADABLE


def _is_deep(raw: bytes) -> bool:
    depth = 0
    for mark in re.findall(rb"[][{}]", _TEXT.sub(b"", raw)):
        depth += 1 if mark in (b"[", b"{") else -1
        if depth > DEPTH_MAX:
            return True
    return False
