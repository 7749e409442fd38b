"""PostHog's events as canonical events: who is `distinct_id`, which an alias or an anonymous id may join.

Names of events stay PostHog's own (`$pageview`); the configuration gives synonyms. Nothing is judged here.

`$anon_distinct_id`, which `$identify` brings, is whom earlier events called `distinct_id`, before anybody logged in; so it is
one too, beside the anonymous identifier that it is, and what was done before the login belongs to whoever logs in.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from models import foreign
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


def read(raw: bytes | msgspec.Raw) -> PosthogEvent | Rejected:
    """The event that JSON holds."""
    return foreign.message(_EVENT, raw)


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
    found: _Properties = _Properties() if properties is UNSET else foreign.part(_PROPERTIES, properties, _Properties())
    return found


def _identifiers(given: PosthogEvent, told: _Properties) -> Iterator[tuple[str, Any]]:
    yield "distinct_id", given.distinct_id
    yield "distinct_id", told.alias
    yield "distinct_id", told.anonymous
    yield "anonymous_id", told.anonymous
