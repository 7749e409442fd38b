"""Sessions: what one person did without a long pause, over all channels.

A session is opened by an event before which nothing happened for the gap, and is named after that event. Everything here
reads events in order once; a page in the middle of a journey needs to know who opened the session of its first event.

Sessions are of all events of a person: fold first, filter then.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

import msgspec

from models.event import Event
from models.ids import EventId

GAP_MS = 30 * 60 * 1000
"""Without an event for so long, a session is over."""


class Session(msgspec.Struct, frozen=True):
    """A session so far. Times in UTC milliseconds; a session of one event ends when it started."""

    session: EventId
    """The event that opened it."""
    started_at: int
    ended_at: int
    events: int
    entry: str | None
    """The page or screen of the first event that has one."""
    last: str | None
    """The page or screen of the last event that has one."""
    channels: tuple[str, ...]
    """In the order in which they were first used."""


class _Page(msgspec.Struct, frozen=True):
    url: object = None
    path: object = None


class _Screen(msgspec.Struct, frozen=True):
    name: object = None


class _Properties(msgspec.Struct, frozen=True):
    url: object = None
    path: object = None
    name: object = None


class _Context(msgspec.Struct, frozen=True):
    page: object = None
    screen: object = None


P = TypeVar("P", _Properties, _Context)
_VIEWS = frozenset({"page_viewed", "screen_viewed"})
_NOTHING = b"{}"
_properties = msgspec.json.Decoder(_Properties).decode
_context = msgspec.json.Decoder(_Context).decode


def opened(event: Event) -> Session:
    """The session that an event opens."""
    page = page_of(event)
    return Session(event.event_id, event.occurred_at, event.occurred_at, 1, page, page, (event.channel,))


def extended(session: Session, event: Event) -> Session:
    """The session with its next event."""
    page = page_of(event)
    channels = session.channels if event.channel in session.channels else (*session.channels, event.channel)
    return Session(
        session.session,
        session.started_at,
        event.occurred_at,
        session.events + 1,
        session.entry if session.entry is not None else page,
        page if page is not None else session.last,
        channels,
    )


def goes_on(session: Session, event: Event, gap_ms: int = GAP_MS) -> bool:
    """Whether an event that comes next belongs to the session."""
    return event.occurred_at - session.ended_at < gap_ms


def sessions(events: Iterable[Event], gap_ms: int = GAP_MS) -> list[Session]:
    """The sessions of events in ascending order."""
    found: list[Session] = []
    for event in events:
        if found and goes_on(found[-1], event, gap_ms):
            found[-1] = extended(found[-1], event)
        else:
            found.append(opened(event))
    return found


def openers(events: Sequence[Event], opener: EventId | None = None, gap_ms: int = GAP_MS) -> list[EventId]:
    """For each event in ascending order the id of the one that opened its session; `opener` is the first one's, if not itself."""
    names = [opener or event.event_id for event in events[:1]]
    for earlier, event in pairwise(events):
        names.append(names[-1] if event.occurred_at - earlier.occurred_at < gap_ms else event.event_id)
    return names


def page_of(event: Event) -> str | None:
    """The page or screen that an event happened on: its address, path or name; None where it has none."""
    properties = _read(event.properties, _properties, _Properties())
    context = _read(event.context, _context, _Context())
    page = msgspec.convert(context.page, _Page) if isinstance(context.page, dict) else _Page()
    screen = msgspec.convert(context.screen, _Screen) if isinstance(context.screen, dict) else _Screen()
    name = properties.name if event.event in _VIEWS else None
    places = (page.url, properties.url, page.path, properties.path, screen.name, name)
    return next((place for place in places if isinstance(place, str) and place), None)


def _read(raw: bytes, decode: Callable[[bytes], P], nothing: P) -> P:
    try:
        return nothing if raw == _NOTHING else decode(raw)
    except msgspec.ValidationError:
        # A number beyond all bounds; the door lets it through, and it is no page.
        return nothing
