"""The canonical event as the collector writes it, and the id of one that came without.

A sender that repeats a message without an id repeats its content, so the content names the event. When it was sent is no
part of that: a repetition is sent later. Without a time of its own nothing tells a repetition from a second event, and
such an event gets an id by chance, which is the caller's to draw.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

Json = msgspec.Raw | msgspec.UnsetType
_WITHOUT = frozenset({"event_id", "sent_at", "writeKey"})


class Canonical(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The fields of a canonical event, of any type as they came: whoever reads the event judges them."""

    event_id: Any = None
    event: Any = None
    occurred_at: Any = None
    sent_at: Any = None
    identifiers: Mapping[str, Any] = {}
    """Name -> value or values."""
    properties: Json = msgspec.UNSET
    traits: Json = msgspec.UNSET
    context: Json = msgspec.UNSET


class _Head(msgspec.Struct, gc=False):
    """What has to be known of an event that somebody else wrote; any type."""

    event_id: Any = None
    occurred_at: Any = None
    writeKey: Any = None  # noqa: N815 - the name on the wire


_HEAD = msgspec.json.Decoder(_Head)
_TABLE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def encoded(event: Canonical, channel: str, by_chance: str) -> bytes:
    """The event as JSON, with an id; `by_chance` is the id of an event that has neither id nor time."""
    if not is_id(event.event_id):
        unnamed = msgspec.structs.replace(event, event_id=None, sent_at=None)
        event_id = by_chance if event.occurred_at is None else content_id(channel, _encode(unnamed))
        event = msgspec.structs.replace(event, event_id=event_id)
    return _encode(event)


def named(raw: bytes, channel: str, by_chance: str) -> bytes:
    """A canonical event with an id and without the credential that it came with; else the same bytes.

    Bytes that are no such event come back as they are.
    """
    try:
        head = _HEAD.decode(raw)
        if is_id(head.event_id) and head.writeKey is None:
            return raw
        table = _TABLE.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return raw
    content = {name: table[name] for name in sorted(table) if name not in _WITHOUT}
    if is_id(head.event_id):
        event_id = head.event_id
    else:
        event_id = by_chance if head.occurred_at is None else content_id(channel, _encode(content))
    sent = {name: table[name] for name in ("sent_at",) if name in table}
    return _encode({"event_id": event_id, **content, **sent})


def grouped(found: Iterable[tuple[str, Any]], names: Mapping[str, str]) -> dict[str, Any]:
    """Identifiers by namespace: a value, or a list of values; null is none. `names` is incoming name -> namespace."""
    values: dict[str, list[Any]] = {}
    for name, value in found:
        if value is not None:
            values.setdefault(names.get(name, name), []).append(value)
    return {name: them[0] if len(them) == 1 and not isinstance(them[0], list) else them for name, them in values.items()}


def is_id(given: object) -> bool:
    """Whether a value names an event: text that is not blank, or an integer."""
    return bool(given.strip()) if isinstance(given, str) else isinstance(given, int) and not isinstance(given, bool)


def content_id(channel: str, content: bytes) -> str:
    """The same for the same content in the same channel: 32 hexadecimal digits."""
    return blake2b(channel.encode() + b"\0" + content, digest_size=16).hexdigest()
