"""A page of a journey as it is looked at: rows of days, sessions, stages and events, each with a key of its own.

Pure. The rows are flat and in the order of the walk, so a browser that has some of them joins new ones by their keys: what it
has stays where it is, a late event lands in its place, and a heading that two pages share is there once.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import msgspec

from app.pages import Item
from models.event import Event, properties_of
from models.ids import EventId
from models.journey.summary import Place
from models.sessions import Session, page_of

TOLD_MAX, TOLD_CHARACTERS_MAX = 3, 60
"""Properties beside an event's name, and how long each may be; all of them are in its details."""


class Row(NamedTuple):
    """One line: `kind` is day, session, stage or event, `key` names it for ever."""

    kind: str
    key: str
    day: str
    """`2026-11-22` in the zone of display."""
    clock: str
    """`16:00:00`."""
    event: Event | None = None
    session: Session | None = None
    stage: str | None = None
    rule: str | None = None
    """Of an inferred event."""
    page: str | None = None
    told: tuple[tuple[str, str], ...] = ()
    """A few properties in short."""
    details: str = ""
    """Properties and context, JSON over several lines."""


class Journey(NamedTuple):
    """What the rows need to know beside the items: whole sessions by name, and the stages with the events that entered them."""

    sessions: Mapping[EventId, Session]
    stages: Mapping[str, Place]
    zone: tzinfo


def rows(items: Sequence[Item], journey: Journey) -> Iterator[Row]:
    """The rows of a page; headings where the day or the session changes."""
    entered = {place.event_id: name for name, place in journey.stages.items()}
    day = session = None
    for item in items:
        at = _local(item.event.occurred_at, journey.zone)
        if (today := at.date().isoformat()) != day:
            day, session = today, None
            yield Row("day", f"day:{day}", day, "")
        if item.session != session:
            session = item.session
            yield Row("session", f"session:{day}:{session}", day, _clock(at), session=journey.sessions.get(session))
        stage = entered.get(item.event.event_id) if item.rule is None else None
        yield _event(item, day, _clock(at), stage)


def _event(item: Item, day: str, clock: str, stage: str | None) -> Row:
    event = item.event
    properties = properties_of(event)
    return Row(
        "event",
        f"event:{event.event_id}" if item.rule is None else f"inferred:{item.rule}:{event.event_id}",
        day,
        clock,
        event=event,
        stage=stage,
        rule=item.rule,
        page=page_of(event),
        told=tuple(_told(properties)),
        details=_details(event),
    )


def _told(properties: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    shown = [(name, _short(value)) for name, value in properties.items() if isinstance(value, str | int | float) and value != ""]
    yield from shown[:TOLD_MAX]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= TOLD_CHARACTERS_MAX else text[: TOLD_CHARACTERS_MAX - 1] + "…"


def _details(event: Event) -> str:
    """Formatted as text, so that a number beyond all bounds is shown as it came."""
    parts: dict[str, Any] = {"properties": event.properties, "context": event.context}
    shown = {name: msgspec.json.format(raw, indent=2).decode() for name, raw in parts.items() if raw != b"{}"}
    return "\n".join(f"{name} {text}" for name, text in shown.items())


def _local(instant_ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(instant_ms / 1000, zone)


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}"
