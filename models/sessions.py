"""Sessions: what one person did without a long pause, over all channels.

A session is opened by an event before which nothing happened for the gap, and is named after that event. Everything here
reads events in order once, so a page in the middle of a journey needs only the session that is under way before it
(`under_way`), which is folded from the events just before, as far back as the pause that opened it.

Sessions are of all events of a person: fold first, filter then.
"""

from collections.abc import Callable, Iterable, Sequence
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


def sessions(events: Iterable[Event], running: Session | None = None, gap_ms: int = GAP_MS) -> list[Session]:
    """The sessions of events in ascending order. The first one goes on with `running` if the events do."""
    found = [] if running is None else [running]
    for event in events:
        if found and goes_on(found[-1], event, gap_ms):
            found[-1] = extended(found[-1], event)
        else:
            found.append(opened(event))
    return found if running is None or found[0] is not running else found[1:]


def openers(events: Sequence[Event], running: Session | None = None, gap_ms: int = GAP_MS) -> list[EventId]:
    """For each event in ascending order the id of the event that opened its session."""
    names: list[EventId] = []
    at = None if running is None else (running.session, running.ended_at)
    for event in events:
        opener = event.event_id if at is None or event.occurred_at - at[1] >= gap_ms else at[0]
        at = opener, event.occurred_at
        names.append(opener)
    return names


def under_way(newest_first: Iterable[Event], following: Event, gap_ms: int = GAP_MS) -> Session | None:
    """The session in which `following` finds the person, or None when that event opens one itself.

    `newest_first` are the events just before it, in descending order; no more of them are taken than the session has, and
    one. If they end before the session does, it is the session as far back as they tell.
    """
    before: list[Event] = []
    next_at = following.occurred_at
    for event in newest_first:
        if next_at - event.occurred_at >= gap_ms:
            break
        before.append(event)
        next_at = event.occurred_at
    return sessions(reversed(before), gap_ms=gap_ms)[0] if before else None


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
