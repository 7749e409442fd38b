"""What identities tell journeys.

A journey belongs to one uid and hears of its events and fate from that uid's cluster alone, in order. When clusters
merge or part, the journeys hand over what follows the identifiers; an event always follows its anchor. `versions` are
custody versions: the higher one knows better where an identifier's events belong. `not_before` are members that were born
again after an erasure, with its time (UTC milliseconds): what occurred until then belongs nowhere. What journeys then say
to one another is their own affair (models/journey/messages.py).
"""

import msgspec

from models.ids import EventId, IdentifierKey, UnifiedUserId


class ToJourney(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A message to the journey of `uid`."""

    uid: UnifiedUserId


class EventPlaced(ToJourney, frozen=True):
    """JEVT: an event of this person, anchored on `key`. The same event id twice is one event."""

    key: IdentifierKey
    event_id: EventId
    occurred_at: int
    received_at: int
    body: bytes
    version: int = -1
    """The custody with which the cluster held the anchor."""


class JourneyClosed(ToJourney, frozen=True):
    """JCLOSE: the person was absorbed; hand everything to the journey of `into`, where members are held with `versions`."""

    into: UnifiedUserId
    versions: dict[IdentifierKey, int]
    not_before: dict[IdentifierKey, int] = {}


class JourneySplit(ToJourney, frozen=True):
    """JSPLIT: the identifiers in `versions` left for `fragment`; hand over the events anchored on them."""

    fragment: UnifiedUserId
    versions: dict[IdentifierKey, int]
    not_before: dict[IdentifierKey, int] = {}


class JourneyErased(ToJourney, frozen=True):
    """JERASE: forget everything."""

    at: int


class Moved(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where the events of an identifier belong: with another uid, or (None) here, since a custody version."""

    uid: UnifiedUserId | None
    version: int


JourneyNews = EventPlaced | JourneyClosed | JourneySplit | JourneyErased
