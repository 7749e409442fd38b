"""Who is this, and what did they do: the questions behind the lookups, over rows on any worker.

An identifier's row gives the uid, the uid's row the person; an absorbed uid leads to its survivor. While an absorbed journey
is still handing its events over, both are read and shown as one, so nothing that was visible disappears.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from app.instance import table
from app.pages import Piece, Source
from app.routing import NotReady, Peers, Question
from app.row_pages import ROWS, RowsPage, rows_page
from app.runtime.rows import Partition
from models.event import Event
from models.identity.rows import Cluster, Node, Request
from models.identity.values import Content
from models.ids import EventId, IdentifierKey, UnifiedUserId, route, route_of_request
from models.journey.ageing import later
from models.journey.messages import parted
from models.journey.rows import Entry, Header
from models.journey.summary import Place, Summary, fold, join
from models.timeline import merged
from tables.identity import cluster_of, node_of, request_of
from tables.journey import Window, entries_of, event_of, header_of, known_of

FORWARDS_MAX = 32
"""Absorptions followed for one lookup; more means that they are just happening."""
QUESTION_BYTES = 2_900
"""Event ids go into a URL in hexadecimal, and servers take one of 8 KB; the last id may have some 800 bytes."""
COUNTED_EVENTS_MAX = 5_000
"""Events that are counted one by one for a profile while they move."""


class EventsAsked(msgspec.Struct, frozen=True, array_like=True):
    """A part of a timeline: see Window."""

    uid: UnifiedUserId
    since: int | None
    before: int | None
    after: Place | None
    descending: bool
    limit: int


class KnownAsked(msgspec.Struct, frozen=True, array_like=True):
    """Which of these events are in a timeline."""

    uid: UnifiedUserId
    event_ids: list[EventId]


class Person(NamedTuple):
    """A unified user as identity knows it."""

    uid: UnifiedUserId
    cluster: Cluster


class Story(NamedTuple):
    """A person's journey: the summary, and the uids whose timelines hold its events.

    While events move, a timeline may hold those of others too: then only events anchored on `anchors` are this person's.
    """

    summary: Summary
    uids: tuple[UnifiedUserId, ...]
    listed_since: int | None = None
    """Events from before it are counted but no longer listed."""
    anchors: Mapping[IdentifierKey, int] | None = None
    """Each with the time (UTC milliseconds) until which an erasure covers its events, else -1."""

    @property
    def settled(self) -> bool:
        """Whether the events lie in this person's own timeline, and no others do."""
        return self.anchors is None

    def shows(self, anchor: IdentifierKey, occurred_at: int) -> bool:
        """Whether an event of this anchor is this person's."""
        return self.anchors is None or (anchor in self.anchors and occurred_at > self.anchors[anchor])


def _node(partition: Partition, raw: msgspec.Raw) -> Node | None:
    return node_of(partition, msgspec.msgpack.decode(raw, type=IdentifierKey))


def _cluster(partition: Partition, raw: msgspec.Raw) -> Cluster | None:
    return cluster_of(partition, msgspec.msgpack.decode(raw, type=UnifiedUserId))


def _header(partition: Partition, raw: msgspec.Raw) -> Header | None:
    return header_of(partition, msgspec.msgpack.decode(raw, type=UnifiedUserId))


def _entries(partition: Partition, raw: msgspec.Raw) -> list[Entry]:
    asked = msgspec.msgpack.decode(raw, type=EventsAsked)
    return entries_of(partition, asked.uid, Window(asked.since, asked.before, asked.after, asked.descending), asked.limit)


def _known(partition: Partition, raw: msgspec.Raw) -> list[EventId]:
    asked = msgspec.msgpack.decode(raw, type=KnownAsked)
    return known_of(partition, asked.uid, asked.event_ids)


def _request(partition: Partition, raw: msgspec.Raw) -> Request | None:
    return request_of(partition, msgspec.msgpack.decode(raw, type=str))


NODE: Question[Node | None] = Question("node", table, _node, Node | None)
CLUSTER: Question[Cluster | None] = Question("cluster", table, _cluster, Cluster | None)
HEADER: Question[Header | None] = Question("header", table, _header, Header | None)
ENTRIES: Question[list[Entry]] = Question("entries", table, _entries, list[Entry])
KNOWN: Question[list[EventId]] = Question("known", table, _known, list[EventId])
REQUEST: Question[Request | None] = Question("request", table, _request, Request | None)
ROWS_OF: Question[RowsPage] = Question(ROWS, table, rows_page, RowsPage)
_ASKED: tuple[Question[Any], ...] = (NODE, CLUSTER, HEADER, ENTRIES, KNOWN, REQUEST, ROWS_OF)
QUESTIONS: dict[str, Question[Any]] = {asked.name: asked for asked in _ASKED}


EMPTY_HEADER = Header()


def anchors_of(content: Content) -> dict[IdentifierKey, int]:
    """See `Story.anchors`."""
    return dict.fromkeys(content.members, -1) | content.not_before


class People:
    """Answers about people; NotReady while rows are on the move."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def node(self, key: IdentifierKey) -> Node | None:
        """The row of an identifier."""
        return await self._peers.ask(NODE, route(key), key)

    async def request(self, request_id: str) -> Request | None:
        """How an operator's request goes; None when nobody knows it."""
        return await self._peers.ask(REQUEST, route_of_request(request_id), request_id)

    async def by_identifier(self, key: IdentifierKey) -> Person | None:
        """The person who has an identifier; None when nobody has it."""
        node = await self.node(key)
        return None if node is None or node.uid is None else await self.by_uid(node.uid)

    async def by_uid(self, uid: UnifiedUserId) -> Person | None:
        """The person of a uid, or the survivor that absorbed it; None for one that never was, or was erased."""
        for _ in range(FORWARDS_MAX):
            cluster = await self._peers.ask(CLUSTER, route(uid), uid)
            if cluster is None or cluster.state == "erased":
                return None
            if cluster.state == "unborn":
                raise NotReady(f"{uid} is just being born")
            if cluster.into is None:
                return Person(uid, cluster)
            uid = cluster.into
        raise NotReady("this person is just being merged")

    async def story(self, person: Person) -> Story:
        """A person's journey, hand-overs that still run included."""
        own = await self._header(person.uid) or EMPTY_HEADER
        content = person.cluster.content
        absorbed = [uid for uid in content.absorbed if uid not in own.done]
        origins = [origin for fragment, origin in content.origins.items() if parted(fragment) not in own.done]
        others = sorted({uid for uid in (*absorbed, *origins) if uid != person.uid})
        headers = await asyncio.gather(*map(self._header, others))
        still = {uid: header for uid, header in zip(others, headers, strict=True) if header is not None and _holds(header)}
        if not still and own.sweep is None:
            return Story(own.summary, (person.uid,), own.listed_since)
        joint = reduce(join, (header.summary for header in still.values()), own.summary)
        # What is no longer listed comes with an absorbed journey, and stays with one that others left.
        theirs = [own, *(still[uid] for uid in absorbed if uid in still)]
        since = reduce(later, (header.listed_since for header in theirs))
        moving = Story(joint, (person.uid, *still), since, anchors_of(content))
        return moving._replace(summary=await self._counted(moving, reduce(join, (header.aged for header in theirs))))

    async def _counted(self, story: Story, aged: Summary) -> Summary:
        """The summary while events move: of the events themselves, or of a very long journey about right."""
        if story.summary.events > COUNTED_EVENTS_MAX:
            return story.summary
        events, _ = await self.events(story)(Window(), COUNTED_EVENTS_MAX)
        return reduce(fold, events, aged)

    async def known(self, story: Story, event_ids: Sequence[EventId]) -> set[EventId]:
        """Those of the ids that are of events in this journey."""
        known: set[EventId] = set()
        for part in _parts(event_ids):
            asked = [KnownAsked(uid, part) for uid in story.uids]
            known.update(*await asyncio.gather(*(self._peers.ask(KNOWN, route(a.uid), a) for a in asked)))
        return known

    def events(self, story: Story) -> Source:
        """Where pages find the events of a journey."""

        async def piece(window: Window, limit: int) -> Piece:
            chunk, hidden = await self._chunk(story, window, limit)
            mine = [event for event in chunk if event.event_id not in hidden] if hidden else chunk
            return Piece(mine, None if len(chunk) < limit else Place(chunk[-1].occurred_at, chunk[-1].event_id))

        return piece

    async def _header(self, uid: UnifiedUserId) -> Header | None:
        return await self._peers.ask(HEADER, route(uid), uid)

    async def _chunk(self, story: Story, window: Window, limit: int) -> tuple[list[Event], set[EventId]]:
        """The next events of all timelines together, and the ids of those that are not shown.

        They are somebody else's, or clicks that only repeat another.
        """
        asked = [EventsAsked(uid, window.since, window.before, window.after, window.descending, limit) for uid in story.uids]
        # what moves is taken there before it is deleted here: who gives away is read first, the person itself last
        found = [await self._peers.ask(ENTRIES, route(a.uid), a) for a in reversed(asked)]
        timelines = [[event_of(entry) for entry in entries] for entries in found]
        pairs = zip(chain(*found), chain(*timelines), strict=True)
        shown = story.shows
        hidden = {event.event_id for entry, event in pairs if entry.is_repeat or not shown(entry.anchor, event.occurred_at)}
        return merged(timelines, descending=window.descending)[:limit], hidden


def _parts(event_ids: Iterable[EventId]) -> Iterator[list[EventId]]:
    """Cut so that each part fits into the address of a question to another worker."""
    part: list[EventId] = []
    size = 0
    for event_id in event_ids:
        if size > QUESTION_BYTES:
            yield part
            part, size = [], 0
        part.append(event_id)
        size += len(event_id.encode()) + 3
    if part:
        yield part


def _holds(header: Header) -> bool:
    return header.state == "live" or header.sweep is not None
