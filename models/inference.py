"""Gaps in a journey, filled by what must have happened: an order needs something put into the cart first.

Configured rules say so: `order_placed needs add_to_cart after product_viewed`. An event that lacks what it needs gets an
inferred one directly before it, after the view it followed from. Nothing is stored and nothing counted: gaps are found each
time that a journey is read, so an inferred event is gone when the real one is there.

A rule looks from its event back to the one before of the same name, and not further than `within_ms`. So a page needs
the events of that time before it, and then shows what the whole journey would show.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from models.event import Event, is_same, properties_of
from models.ids import EventId

DAY_MS = 24 * 3_600_000


class Rule(msgspec.Struct, frozen=True):
    """`event` needs `needs` after `after`: seen the latter and not the former, it is inferred.

    No gap where a declared other path was taken: one of the events `unless` lies between, or the event itself has one of
    the properties `unless_properties`. `same`: a property, such as the product, in which all of them must agree.
    """

    name: str
    event: str
    needs: str
    after: str
    unless: frozenset[str] = frozenset()
    unless_properties: tuple[tuple[str, object], ...] = ()
    same: str | None = None
    within_ms: int = DAY_MS


class Inferred(msgspec.Struct, frozen=True):
    """An event that must have happened, by a rule, directly before the known event `before`."""

    event: Event
    rule: str
    after: EventId
    before: EventId


@dataclass(slots=True)
class _Path:
    """What led to the next event of a rule, as far as it is known."""

    after: Event | None = None
    needed_at: int | None = None
    other_at: int | None = None


def inferred(events: Sequence[Event], rules: Iterable[Rule], before: Sequence[Event] = ()) -> list[Inferred]:
    """What must have happened directly before one of `events`, in the order of the rules; both lists ascending.

    `before`: the events ahead of these, as far back as the longest `within_ms`.
    """
    known = [*before, *events]
    return [gap for rule in rules for gap in _gaps(known, len(before), rule)]


def filled(events: Sequence[Event], gaps: Iterable[Inferred]) -> list[Event | Inferred]:
    """The events in their order, each inferred one directly before the event that needs it."""
    ahead: dict[EventId, list[Inferred]] = {}
    for gap in gaps:
        ahead.setdefault(gap.before, []).append(gap)
    return [shown for event in events for shown in (*ahead.get(event.event_id, ()), event)]


def _gaps(known: Sequence[Event], first: int, rule: Rule) -> Iterable[Inferred]:
    paths: dict[bytes, _Path] = {}
    for index, event in enumerate(known):
        if event.event not in (rule.event, rule.needs, rule.after) and event.event not in rule.unless:
            continue
        path = paths.setdefault(_subject(event, rule), _Path())
        if event.event == rule.event:
            if index >= first and path.after is not None and _is_gap(event, path, path.after, rule):
                yield _inferred(known[index - 1], event, path.after, rule)
            paths[_subject(event, rule)] = _Path()
        elif event.event == rule.needs:
            path.needed_at = event.occurred_at
        elif event.event == rule.after:
            path.after = event
        else:
            path.other_at = event.occurred_at


def _is_gap(event: Event, path: _Path, after: Event, rule: Rule) -> bool:
    earliest = event.occurred_at - rule.within_ms
    if after.occurred_at < earliest:
        return False
    if any(at is not None and at >= earliest for at in (path.needed_at, path.other_at)):
        return False
    if not rule.unless_properties:
        return True
    properties = properties_of(event)
    return not any(is_same(properties.get(name), value) for name, value in rule.unless_properties)


def _inferred(last: Event, event: Event, after: Event, rule: Rule) -> Inferred:
    """Between the event and the one just before it, which is `after` or lies behind it."""
    properties = b"{}"
    if rule.same is not None:
        properties = msgspec.json.encode({rule.same: properties_of(event).get(rule.same)})
    between = Event(
        EventId(f"{event.event_id}/{rule.name}"),
        rule.needs,
        event.channel,
        (last.occurred_at + event.occurred_at) // 2,
        event.received_at,
        event.identifiers,
        properties=properties,
        business_system=event.business_system,
        time_estimated=True,
    )
    return Inferred(between, rule.name, after.event_id, event.event_id)


def _subject(event: Event, rule: Rule) -> bytes:
    if rule.same is None:
        return b""
    return msgspec.json.encode(properties_of(event).get(rule.same), order="deterministic")
