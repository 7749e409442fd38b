"""A story is lived and its questions are asked, of any chain: the one in memory and the one with Kafka obey the same stories."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from models.notation import SECOND_MS, Line
from models.times import instant
from tests.scenarios.story import Question, Story

BEGIN_MS = round(datetime(2026, 3, 2, 2, tzinfo=UTC).timestamp() * 1_000)
"""`t0` of every story."""


class Entry(NamedTuple):
    """A row of a journey; the time in UTC milliseconds."""

    occurred_at: int
    channel: str
    event: str


class Seen(NamedTuple):
    """A person as lookups show it: identifiers with their channels of origin, and the journey in its order."""

    uid: str
    identifiers: Mapping[str, Sequence[str]]
    journey: Sequence[Entry]


class Chain(Protocol):
    """From records to answers. Names are `namespace:value`, in any spelling that customers use."""

    async def tell(self, lines: Sequence[Line]) -> None:
        """Business systems and operators say this, in this order; returns when it is visible."""
        ...

    async def person(self, name: str) -> Seen | None:
        """Whoever has an identifier."""
        ...

    async def person_of(self, uid: str) -> Seen | None:
        """Whoever has a uid, or absorbed it."""
        ...

    async def uids(self, name: str) -> Sequence[str]:
        """The uids that an identifier had, one after the other."""
        ...

    async def refused(self, name: str) -> Sequence[str]:
        """The other ends of its refused links."""
        ...

    async def path(self, start: str, end: str) -> Sequence[str]:
        """start, event, identifier, event, … end."""
        ...


async def play(story: Story, chain: Chain) -> None:
    """Lives the story; AssertionError names the question whose answer is another."""
    told: list[Line] = []
    for step in story.steps:
        if isinstance(step, Line):
            told.append(step)
        else:
            if told:
                await chain.tell(told)
                told = []
            await ask(step, chain)


async def ask(question: Question, chain: Chain) -> None:
    """One question; AssertionError if the answer is another."""
    found, wanted = await answer(question, chain)
    assert found == wanted, f"{question}: {found} instead of {wanted}"


async def answer(question: Question, chain: Chain) -> tuple[Any, Any]:
    """What the chain says, and what it should say."""
    name, *rest = question.words
    match question.verb:
        case "journey":
            return list((await known(chain, name)).journey), [_entry(row) for row in question.rows]
        case "known":
            return set((await known(chain, name)).identifiers), set(question.words)
        case "unknown":
            return await chain.person(name), None
        case "apart":
            uids = {(await known(chain, one)).uid for one in question.words}
            return len(uids), len(question.words)
        case "elder":
            first = (await chain.uids(name))[0]
            return [(await known(chain, one)).uid for one in question.words], [first] * len(question.words)
        case "former":
            return await chain.person_of((await chain.uids(name))[0]), await chain.person(rest[0])
        case "refused":
            return list(await chain.refused(name)), rest
        case "seen":
            return list((await known(chain, name)).identifiers[name]), sorted(rest)
        case "because":
            return list(await chain.path(name, rest[-1])), [name, *rest]


async def known(chain: Chain, name: str) -> Seen:
    """The person who has an identifier; AssertionError if nobody has it."""
    person = await chain.person(name)
    assert person is not None, f"nobody has {name}"
    return person


def record(line: Line) -> bytes:
    """An event as the business system of its channel writes it."""
    identifiers: dict[str, list[str]] = {}
    for name in line.names:
        namespace, _, value = name.partition(":")
        identifiers.setdefault(namespace, []).append(value)
    told = {
        "event_id": line.id,
        "event": line.event,
        "occurred_at": line.written or BEGIN_MS + line.at,
        "identifiers": identifiers,
        "context": {"page": {"path": line.path}} if line.path else {},
    }
    return json.dumps(told, ensure_ascii=False).encode()


def _entry(row: Sequence[str]) -> Entry:
    time, channel, event = row
    at = BEGIN_MS + int(time[1:]) * SECOND_MS if time.startswith("t") else instant(time, UTC)
    assert at is not None, f"{time} is no time"
    return Entry(at, channel, event)
