"""The canonical event: what a channel's record becomes, and what a journey keeps."""

from typing import Literal

import msgspec

from models.clicks import Click
from models.ids import EventId, Identifier

Reason = Literal[
    "too_large",
    "not_json",
    "not_an_object",
    "missing_event",
    "bad_event",
    "no_identifier",
    "unknown_namespace",
    "blocked_identifier",
    "bad_time",
    "future_time",
    "too_many_identifiers",
    "view_too_short",
    "crawler",
    "test_traffic",
    "repeated_click",
    "erased",
    "too_old",
    "expired",
    "internal",
]


_object = msgspec.json.Decoder(dict[str, object]).decode


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One behaviour of one person, standardised. Times are UTC milliseconds; the JSON parts stay as they came."""

    event_id: EventId
    event: str
    channel: str
    occurred_at: int
    received_at: int
    identifiers: tuple[Identifier, ...]
    """The usable ones, normalised, without doubles, the anchor first."""
    properties: bytes = b"{}"
    traits: bytes = b"{}"
    context: bytes = b"{}"
    business_system: str | None = None
    time_estimated: bool = False
    duration_ms: int | None = None
    dropped: tuple[tuple[str, str], ...] = ()
    """(namespace, reason) of identifiers that were left out."""
    stage: str | None = None
    """The first configured stage of the journey that the event matches."""
    click: Click | None = None
    """Of a click that may turn out to be a repetition."""
    repeat_count: int = 0
    """How many clicks only repeated this one; known where a journey is read, 0 elsewhere."""


def properties_of(event: Event) -> dict[str, object]:
    """The decoded properties of an event."""
    return object_of(event.properties)


def object_of(raw: bytes) -> dict[str, object]:
    """A JSON part of an event, decoded; nothing when a number in it is beyond all bounds: the door lets it through."""
    try:
        return _object(raw)
    except msgspec.ValidationError:
        return {}


def is_same(given: object, wanted: object) -> bool:
    """Equal in JSON: true is not 1."""
    return given == wanted and isinstance(given, bool) == isinstance(wanted, bool)


class Rejected(msgspec.Struct, frozen=True):
    """Why a record does not become an event: a stable reason and the rule in words."""

    reason: Reason
    rule: str
