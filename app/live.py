"""Live pull: what business systems answer joins a person's stored journey, and is sent on so that it lasts.

Answers are read by the same rules as records of topics. What the journey does not know yet goes to `behaviour.pulled`, and so
does what is no event, to be rejected there with a reason. A long answer is read in pieces, so that the worker's other work
goes on meanwhile.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from app.clock import now_ms
from app.pages import Source, together
from app.people import People, Person, Story
from app.pull import Answer, Puller, Span
from app.reading import Reading
from app.sending import Sending
from models.event import Event, Rejected
from models.ids import EventId, Identifier, key_of
from models.journey.summary import fold
from models.parse import Position, parse
from models.pulled import adopted, belongs

PIECE = 100
"""So many events are read, some milliseconds, before others get their turn."""
ANCHORS_MAX = 200
"""Anchors of new events whose owner is looked up for one answer; events of others wait until they are stored."""

_NOWHERE = Position("", -1, -1)


class Read(NamedTuple):
    """One event of an answer: the system, the record that it becomes, and what it means."""

    system: str
    record: bytes
    event: Event | Rejected


class Pulled(NamedTuple):
    """What systems answered: who was asked, each event once."""

    sources: list[dict[str, Any]]
    reads: list[Read]


class Joined(NamedTuple):
    """The person and the journey as they are with what was pulled, all its events, and who was asked."""

    person: Person
    story: Story
    events: Source
    sources: list[dict[str, Any]]


class Live:
    """Brings what business systems know of a person. `secret` is the key of identifiers."""

    def __init__(self, people: People, puller: Puller, reading: Reading, sending: Sending, secret: bytes) -> None:
        self._people, self._puller, self._reading, self._sending, self._secret = people, puller, reading, sending, secret

    async def journey(self, person: Person, span: Span) -> Joined | None:
        """The stored journey and all that systems answer, together; None when the person is gone meanwhile."""
        pulled = await self._pull(person, span)
        now = await self._people.by_uid(person.uid)
        if now is None:
            return None
        story = await self._people.story(now)
        new = await self._new(now, story, pulled.reads)
        return Joined(now, await _counted(story, new), together(self._people.events(story), new), pulled.sources)

    async def _pull(self, person: Person, span: Span) -> Pulled:
        """Asks every system in which the person has an identifier. Never fails because of a system."""
        answers = await self._puller.ask(_members(person), span)
        sources: list[dict[str, Any]] = []
        reads: dict[EventId | bytes, Read] = {}
        for answer in answers:
            found = await self._read(answer)
            ids = {read.event.event_id for read in found if isinstance(read.event, Event)}
            told = {"system": answer.system, "status": answer.status, "events": len(ids), "took_ms": answer.took_ms}
            sources.append(told)
            for read in found:
                reads.setdefault(read.event.event_id if isinstance(read.event, Event) else read.record, read)
        return Pulled(sources, list(reads.values()))

    async def _new(self, person: Person, story: Story, reads: Sequence[Read]) -> list[Event]:
        """The events that are this person's and not stored yet; they and what is no event are sent to Kafka."""
        known = await self._people.known(story, [read.event.event_id for read in reads if isinstance(read.event, Event)])
        fresh = [read for read in reads if isinstance(read.event, Rejected) or read.event.event_id not in known]
        events = await self._own(person, [read.event for read in fresh if isinstance(read.event, Event)])
        await self._sending.send((read.system, read.record) for read in fresh)
        return events

    async def _read(self, answer: Answer) -> list[Read]:
        policy, received_at = self._reading.system(answer.system), now_ms()
        reads = []
        for number, found in enumerate(answer.found):
            if number % PIECE == PIECE - 1:
                await asyncio.sleep(0)
            record = adopted(found.raw, answer.system, found.asked)
            reads.append(Read(answer.system, record, parse(record, policy, _NOWHERE, received_at)))
        return reads

    async def _own(self, person: Person, events: Sequence[Event]) -> list[Event]:
        members = set(_members(person))
        anchors = list(dict.fromkeys(event.identifiers[0] for event in events))[:ANCHORS_MAX]
        erased_at = {anchor: await self._erased_at(anchor, anchor in members) for anchor in anchors}
        return [event for event in events if belongs(event, members.__contains__, erased_at)]

    async def _erased_at(self, anchor: Identifier, is_member: bool) -> int | None:
        node = await self._people.node(key_of(self._secret, anchor))
        if node is None:
            return -1
        return node.erased_at if is_member or node.uid is None else None


async def _counted(story: Story, new: Sequence[Event]) -> Story:
    """The story as it will be when these events are stored."""
    summary = story.summary
    for number, event in enumerate(new):
        if number % PIECE == PIECE - 1:
            await asyncio.sleep(0)
        summary = fold(summary, event)
    return story._replace(summary=summary)


def _members(person: Person) -> Iterable[Identifier]:
    members = person.cluster.content.members.values()
    return sorted(Identifier(member.namespace, member.value) for member in members)
