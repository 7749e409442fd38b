"""What follows from all events of a journey together.

Folding is commutative, and each field but the counts is idempotent (least, greatest, last writer by (occurred_at,
event_id)); the counts are of distinct event ids, of which the journey's index lets each through once. So the order in which
events arrive never shows.
"""

import msgspec

from models.event import Event
from models.ids import EventId, Identifier

SEEN_MAX = 256
"""Identifiers whose sightings are kept; of more, those seen last. One that was left out and is seen again begins anew, so
only beyond this bound does the order of arrival show."""


class Place(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """Where an event stands in its journey."""

    occurred_at: int
    event_id: EventId


class Trait(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest value of a trait, as JSON; `null` removes it."""

    place: Place
    value: bytes


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When and where an identifier was seen."""

    first: int
    last: int
    channels: tuple[str, ...]


class Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Counts, newest traits, first time of each stage, sightings of identifiers. Times in UTC milliseconds."""

    events: int = 0
    first: Place | None = None
    last: Place | None = None
    channels: dict[str, int] = {}
    names: dict[str, int] = {}
    traits: dict[str, Trait] = {}
    stages: dict[str, Place] = {}
    identifiers: dict[str, Seen] = {}
    """By `namespace:value`."""


EMPTY = Summary()
_traits = msgspec.json.Decoder(dict[str, msgspec.Raw])


def fold(summary: Summary, event: Event) -> Summary:
    """The summary with one more event, which must not be in it already."""
    place = Place(event.occurred_at, event.event_id)
    return Summary(
        summary.events + 1,
        place if summary.first is None or place < summary.first else summary.first,
        place if summary.last is None or place > summary.last else summary.last,
        _count(summary.channels, event.channel, 1),
        _count(summary.names, event.event, 1),
        summary.traits if event.traits == b"{}" else _newest(summary.traits, place, event.traits),
        summary.stages if event.stage is None else _earliest(summary.stages, event.stage, place),
        _sighted(summary.identifiers, event),
    )


def without(summary: Summary, event: Event) -> Summary:
    """The summary with one event less in its counts. The other fields keep what they learnt: exact again after a sweep."""
    return msgspec.structs.replace(
        summary,
        events=summary.events - 1,
        channels=_count(summary.channels, event.channel, -1),
        names=_count(summary.names, event.event, -1),
    )


def join(a: Summary, b: Summary) -> Summary:
    """Of two journeys without a common event."""
    return Summary(
        a.events + b.events,
        min((p for p in (a.first, b.first) if p), default=None),
        max((p for p in (a.last, b.last) if p), default=None),
        _joined(a.channels, b.channels),
        _joined(a.names, b.names),
        {k: max((t for t in (a.traits.get(k), b.traits.get(k)) if t), key=_written) for k in a.traits | b.traits},
        {k: min(p for p in (a.stages.get(k), b.stages.get(k)) if p) for k in a.stages | b.stages},
        _bounded({k: _both(a.identifiers.get(k), b.identifiers.get(k)) for k in a.identifiers | b.identifiers}),
    )


def seen_key(identifier: Identifier) -> str:
    """The name under which sightings of an identifier are kept."""
    return f"{identifier.namespace}:{identifier.value}"


def _written(trait: Trait) -> tuple[Place, bytes]:
    return trait.place, trait.value


def _count(counts: dict[str, int], name: str, by: int) -> dict[str, int]:
    counted = counts.copy()
    counted[name] = left = counts.get(name, 0) + by
    if not left:
        del counted[name]
    return counted


def _joined(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {k: a.get(k, 0) + b.get(k, 0) for k in a | b}


def _newest(traits: dict[str, Trait], place: Place, given: bytes) -> dict[str, Trait]:
    newest = dict(traits)
    for name, value in _traits.decode(given).items():
        trait, held = Trait(place, bytes(value)), newest.get(name)
        if held is None or _written(held) < _written(trait):
            newest[name] = trait
    return newest


def _earliest(stages: dict[str, Place], stage: str, place: Place) -> dict[str, Place]:
    held = stages.get(stage)
    return stages if held is not None and held <= place else {**stages, stage: place}


def _sighted(seen: dict[str, Seen], event: Event) -> dict[str, Seen]:
    at, channel, news = event.occurred_at, event.channel, seen
    for identifier in event.identifiers:
        key = f"{identifier.namespace}:{identifier.value}"
        held = seen.get(key)
        if held is not None and channel in held.channels and held.first <= at <= held.last:
            continue
        if news is seen:
            news = seen.copy()
        if held is not None and channel in held.channels:
            news[key] = Seen(min(held.first, at), max(held.last, at), held.channels)
        else:
            news[key] = _both(held, Seen(at, at, (channel,)))
    return news if len(news) <= SEEN_MAX else _bounded(news)


def _both(a: Seen | None, b: Seen | None) -> Seen:
    if a is None or b is None:
        held = a or b
        assert held is not None, "one of the two is there"
        return held
    channels = a.channels if a.channels == b.channels else tuple(sorted({*a.channels, *b.channels}))
    return Seen(min(a.first, b.first), max(a.last, b.last), channels)


def _bounded(seen: dict[str, Seen]) -> dict[str, Seen]:
    if len(seen) <= SEEN_MAX:
        return seen
    kept = sorted(seen, key=lambda k: (-seen[k].last, k))[:SEEN_MAX]
    return {k: seen[k] for k in kept}
