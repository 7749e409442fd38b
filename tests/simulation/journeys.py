"""A journey actor as small as it can be: which events a journey has, and nothing of what they are.

It stands in for models/journey, so that the identity protocol can be judged by where events come to rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, assert_never

from models.ids import IdentifierKey, UnifiedUserId
from models.journey_messages import EventPlaced, JourneyClosed, JourneyErased, JourneyNews, JourneySplit, Moved
from tests.simulation.partition import Reaction


@dataclass(frozen=True)
class HandedOver:
    """All events of another journey, or those of some identifiers; the same `tag` twice is one hand-over."""

    uid: UnifiedUserId
    tag: str
    events: dict[str, EventPlaced]
    versions: dict[IdentifierKey, int]
    moved: dict[IdentifierKey, Moved]


@dataclass(frozen=True)
class Journey:
    """The row of a journey. `count` counts additions, to notice double ones."""

    state: str
    events: dict[str, EventPlaced]
    moved: dict[IdentifierKey, Moved]
    absorbed: frozenset[str] = frozenset()
    into: UnifiedUserId | None = None
    count: int = 0


EMPTY = Journey("live", {}, {})


def address(message: JourneyNews | HandedOver) -> str:
    """The row of a journey."""
    return "j|" + message.uid


def react(message: JourneyNews | HandedOver, read: Callable[[str], Any]) -> Reaction:
    """What a journey does with a message."""
    sends: list[Any] = []
    before: Journey = read(address(message)) or EMPTY
    after = _changed(before, message, sends.append)
    return Reaction({} if after is before else {address(message): after}, sends, [])


def _changed(row: Journey, message: JourneyNews | HandedOver, send: Callable[[Any], None]) -> Journey:
    match message:
        case EventPlaced():
            return _placed(row, message, send)
        case JourneyClosed(uid, into, versions):
            if row.state != "live":
                return row
            send(HandedOver(into, f"m|{uid}", row.events, versions, row.moved))
            return replace(EMPTY, state="moved", into=into)
        case JourneySplit():
            return _split(row, message, send)
        case JourneyErased():
            return replace(EMPTY, state="erased") if row.state == "live" else row
        case HandedOver():
            return _taken(row, message, send)
        case _:
            assert_never(message)


def _placed(row: Journey, event: EventPlaced, send: Callable[[Any], None]) -> Journey:
    moved = row.moved.get(event.key)
    if row.into is not None:
        send(EventPlaced(row.into, event.key, event.event_id, event.occurred_at, event.received_at, event.body))
    elif row.state == "live" and moved is not None and moved.uid is not None:
        send(EventPlaced(moved.uid, event.key, event.event_id, event.occurred_at, event.received_at, event.body))
    elif row.state == "live" and is_new(row, event):
        return replace(row, events=row.events | {event.event_id: event}, count=row.count + 1)
    return row


def is_new(row: Journey, event: EventPlaced) -> bool:
    """Whether the journey does not have the event yet."""
    return event.event_id not in row.events


def _split(row: Journey, message: JourneySplit, send: Callable[[Any], None]) -> Journey:
    if row.state != "live":
        return row
    moved = _newer(row.moved, {key: Moved(message.fragment, version) for key, version in message.versions.items()})
    left = {key for key, version in message.versions.items() if moved[key] == Moved(message.fragment, version)}
    leaving = {name: event for name, event in row.events.items() if event.key in left}
    staying = {name: event for name, event in row.events.items() if event.key not in left}
    send(HandedOver(message.fragment, f"s|{message.uid}|{message.fragment}", leaving, message.versions, {}))
    return replace(row, events=staying, moved=moved, count=row.count - len(leaving))


def _taken(row: Journey, message: HandedOver, send: Callable[[Any], None]) -> Journey:
    if row.into is not None:
        send(replace(message, uid=row.into))
        return row
    if row.state == "erased" or message.tag in row.absorbed:
        return row
    moved = _newer(row.moved, {key: Moved(None, version) for key, version in message.versions.items()})
    row = replace(row, moved=_newer(moved, message.moved), absorbed=row.absorbed | {message.tag})
    for event in message.events.values():
        row = _placed(row, event, send)
    return row


def _newer(known: dict[IdentifierKey, Moved], news: dict[IdentifierKey, Moved]) -> dict[IdentifierKey, Moved]:
    """What is known of where identifiers are, by the higher version."""
    merged = dict(known)
    for key, moved in news.items():
        if key not in merged or merged[key].version < moved.version:
            merged[key] = moved
    return merged
