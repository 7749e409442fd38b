"""PostHog's events as canonical events: who is `distinct_id`, which an alias or an anonymous id may join.

Names of events stay PostHog's own (`$pageview`); the configuration gives synonyms. Nothing is judged here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from models.canonical import Canonical, Json, grouped
from models.event import Rejected


class PosthogEvent(msgspec.Struct, frozen=True, gc=False, rename={"set_traits": "$set"}):
    """One event of a batch; fields of any type."""

    event: Any = None
    uuid: Any = None
    distinct_id: Any = None
    timestamp: Any = None
    properties: Json = UNSET
    set_traits: Json = UNSET


class _Properties(msgspec.Struct, gc=False, rename={"anonymous": "$anon_distinct_id", "set_traits": "$set"}):
    """What of the properties names or describes the person."""

    alias: Any = None
    anonymous: Any = None
    set_traits: Json = UNSET


_EVENT = msgspec.json.Decoder(PosthogEvent)
_PROPERTIES = msgspec.json.Decoder(_Properties)

_NO_JSON = Rejected("not_json", "an event is one JSON object in UTF-8, with numbers that a computer can hold")
_NO_OBJECT = Rejected("not_an_object", "an event is one JSON object, not another JSON value")


def read(raw: bytes | msgspec.Raw) -> PosthogEvent | Rejected:
    """The event that JSON holds."""
    try:
        return _EVENT.decode(raw)
    except msgspec.ValidationError:
        return _NO_JSON if bytes(raw).lstrip().startswith(b"{") else _NO_OBJECT
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NO_JSON


def event_of(given: PosthogEvent, sent_at: Any, names: Mapping[str, str]) -> Canonical:
    """The canonical event; `sent_at` is the batch's, `names` incoming name of an identifier -> namespace."""
    told = _told(given.properties)
    return Canonical(
        event_id=given.uuid,
        event=given.event,
        occurred_at=given.timestamp,
        sent_at=sent_at,
        identifiers=grouped(_identifiers(given, told), names),
        properties=given.properties,
        traits=given.set_traits if told.set_traits is UNSET else told.set_traits,
    )


def _told(properties: Json) -> _Properties:
    if properties is UNSET:
        return _Properties()
    try:
        return _PROPERTIES.decode(properties)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Properties()


def _identifiers(given: PosthogEvent, told: _Properties) -> Iterator[tuple[str, Any]]:
    yield "distinct_id", given.distinct_id
    yield "distinct_id", told.alias
    yield "anonymous_id", told.anonymous
