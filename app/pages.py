"""Pages of a journey, with what is found only where events stand together: sessions, and gaps that rules fill.

A source gives events in the order of a walk, wherever they come from: tables, or tables and business systems. Sessions and
gaps are of all events of a person, so they are found before anything is filtered, and a page in the middle looks back: for
rules as far as the longest of them, for the session that is under way in leaps of almost a gap, however many events it has.
An inferred event stands on the page of the event that needs it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from models.event import Event
from models.ids import EventId
from models.inference import Inferred, Rule, inferred
from models.journey.summary import Place
from models.sessions import Session, openers, sessions
from models.timeline import Filter, joined, lies_within
from tables.journey import Window

CHUNK_EVENTS = 1_000
SCANNED_EVENTS_MAX = 20_000
"""Events looked at for one page; a page may be short then, and its cursor goes on."""
LOOK_BACK = 20
"""Events read to find out what stands before a page; more when they do not tell."""
LEAPS_MAX, LEAPS_AT_ONCE = 1_000, 50
"""To the beginning of a session. Two of them pass a gap; one that is longer than 500 gaps (ten days, by default) is named
differently from page to page."""
ALL = Filter()


class Piece(NamedTuple):
    """Events in the order of a walk, and the place behind which it goes on; None = they end."""

    events: list[Event]
    after: Place | None


Source = Callable[[Window, int], Awaitable[Piece]]
"""At most so many events of a window."""


class Item(NamedTuple):
    """An event as a page shows it: the event that opened its session, and of an inferred event the rule."""

    event: Event
    session: EventId
    rule: str | None = None


class Page(NamedTuple):
    """Items in the order of the walk, and the place behind which the next page begins."""

    items: list[Item]
    after: Place | None


class SessionPage(NamedTuple):
    """Sessions in the order of the walk, and the place behind which the next page begins."""

    items: list[Session]
    after: Place | None


class Pages:
    """Makes pages; `gap_ms` without an event ends a session."""

    def __init__(self, gap_ms: int, rules: Sequence[Rule]) -> None:
        self._gap_ms, self._rules = gap_ms, rules
        self._reach_ms = max((rule.within_ms for rule in rules), default=0)

    async def page(self, source: Source, window: Window, wanted: Filter, limit: int) -> Page:
        """At most `limit` items that are wanted; more only where a single event and those inferred for it are more."""
        items: list[Item] = []
        names = _Names(source, self._gap_ms, descending=window.descending)
        scanned, size = 0, limit if wanted == ALL else CHUNK_EVENTS
        while True:
            piece = await source(window, size)
            for group in await self._groups(source, window, piece, names):
                shown = [item for item in group if wanted.lets_through(item.event)]
                if items and shown and len(items) + len(shown) > limit:
                    return Page(items, window.after)
                items += shown
                window = window._replace(after=_place(next(item.event for item in group if item.rule is None)))
            if piece.after is None:
                return Page(items, None)
            window = window._replace(after=piece.after)
            scanned += size
            if len(items) >= limit or scanned >= SCANNED_EVENTS_MAX:
                return Page(items, piece.after)
            await asyncio.sleep(0)  # rows of this worker are read without a pause

    async def sessions(self, source: Source, window: Window, limit: int) -> SessionPage:
        """At most `limit` sessions, each of them whole."""
        found: list[Session] = []
        running: list[Event] = []
        async for event in _walk(source, window):
            if running and abs(event.occurred_at - running[-1].occurred_at) >= self._gap_ms:
                found.append(self._session(running, window))
                if len(found) == limit:
                    return SessionPage(found, _place(running[-1]))
                running = []
            running.append(event)
        if running:
            found.append(self._session(running, window))
        return SessionPage(found, None)

    def _session(self, events: Sequence[Event], window: Window) -> Session:
        (session,) = sessions(reversed(events) if window.descending else events, gap_ms=self._gap_ms)
        return session

    async def _groups(self, source: Source, window: Window, piece: Piece, names: "_Names") -> list[list[Item]]:
        """Each event of a piece together with those inferred for it, in the order of the walk."""
        if not piece.events:
            return []
        events = piece.events[::-1] if window.descending else piece.events
        is_first = window.since is None and (piece.after is None if window.descending else window.after is None)
        before = await self._before(source, events[0]) if self._rules and not is_first else []
        ahead: dict[EventId, list[Inferred]] = {}
        for gap in inferred(events, self._rules, before[::-1]) if self._rules else ():
            ahead.setdefault(gap.before, []).append(gap)
        named = zip(events, await names.of(events, is_first=is_first), strict=True)
        groups = [_group(event, session, ahead.get(event.event_id, ())) for event, session in named]
        return [group[::-1] for group in reversed(groups)] if window.descending else groups

    async def _before(self, source: Source, first: Event) -> list[Event]:
        """The events before one, newest first, as far back as the rules reach."""
        window, size, scanned = Window(after=_place(first), descending=True), LOOK_BACK, 0
        found: list[Event] = []
        while True:
            piece = await source(window, size)
            found += piece.events
            scanned += size
            is_enough = bool(found) and first.occurred_at - found[-1].occurred_at > self._reach_ms
            if piece.after is None or scanned >= SCANNED_EVENTS_MAX or is_enough:
                return found
            window, size = window._replace(after=piece.after), CHUNK_EVENTS
            await asyncio.sleep(0)


class _Names:
    """Names the sessions in the pieces of a walk, one after the other: what one piece told is not searched again for the next."""

    def __init__(self, source: Source, gap_ms: int, *, descending: bool) -> None:
        self._source, self._gap_ms, self._descending = source, gap_ms, descending
        self._last: tuple[Event, EventId] | None = None
        """Of the piece before: its last event, and the name of that event's session."""
        self._opener: Event | None = None
        """Of the session in which a piece before begins."""

    async def of(self, events: Sequence[Event], *, is_first: bool) -> list[EventId]:
        """For each event, ascending, the name of its session; `is_first`: nothing was before them."""
        if self._last is not None and not self._descending:
            last, name = self._last
            names = openers([last, *events], name, self._gap_ms)[1:]
        else:
            names = openers(events, None if is_first else await self._first(events[0]), self._gap_ms)
        self._last = events[-1], names[-1]
        return names

    async def _first(self, event: Event) -> EventId:
        if self._opener is None or _place(event) < _place(self._opener):
            self._opener = await self._search(event)
        return self._opener.event_id

    async def _search(self, event: Event) -> Event:
        """The event that opened the session of an event.

        The earliest one that is less than a gap away is of the same session, and so is all between them, which need not be read.
        """
        for leap in range(1, LEAPS_MAX + 1):
            window = Window(since=max(0, event.occurred_at - self._gap_ms + 1), before=event.occurred_at + 1)
            earliest = await _earliest(self._source, window)
            if earliest is None or _place(earliest) >= _place(event):
                break
            event = earliest
            if leap % LEAPS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return event


def together(source: Source, others: Sequence[Event]) -> Source:
    """A source with more events, which it does not hold."""

    async def both(window: Window, limit: int) -> Piece:
        events, after = await source(window, limit)
        within = [event for event in others if lies_within(event, *window)]
        return Piece(*joined(events, after, within, limit, descending=window.descending))

    return both


async def _walk(source: Source, window: Window) -> AsyncIterator[Event]:
    while True:
        piece = await source(window, CHUNK_EVENTS)
        for event in piece.events:
            yield event
        if piece.after is None:
            return
        window = window._replace(after=piece.after)
        await asyncio.sleep(0)


async def _earliest(source: Source, window: Window) -> Event | None:
    """The first event of a window; a piece may be empty, where none of what it read is shown."""
    size = 1
    while not (piece := await source(window, size)).events and piece.after is not None:
        window, size = window._replace(after=piece.after), LOOK_BACK if size == 1 else CHUNK_EVENTS
        await asyncio.sleep(0)
    return piece.events[0] if piece.events else None


def _group(event: Event, session: EventId, gaps: Sequence[Inferred]) -> list[Item]:
    return [*(Item(gap.event, session, gap.rule) for gap in gaps), Item(event, session)]


def _place(event: Event) -> Place:
    return Place(event.occurred_at, event.event_id)
