"""What a system that was under fire holds, person by person, beside what is true. Every fault has a kind and a witness."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.fire.people import Told, leaver
from tests.real.crowd import Name, Truth
from tests.real.judge import agrees
from tests.real.system import System, Worker, path_of

AT_ONCE = 6
KINDS = ("lost", "doubled", "misplaced", "wrong clusters", "wrong outputs")


class Difference(NamedTuple):
    """One thing that is not as it must be; `size` is the number of events of the person it is about."""

    kind: str
    size: int
    what: str


@dataclass
class Held:
    """What the system answers about one person."""

    person: Truth
    names: list[frozenset[Name]] = field(default_factory=list)
    uids: list[str] = field(default_factory=list)
    absorbed: frozenset[str] = frozenset()
    items: list[dict[str, Any]] = field(default_factory=list)
    counted: int = 0

    @property
    def ids(self) -> list[str]:
        """The event ids in the order of the journey."""
        return [item["event_id"] for item in self.items]


async def compare(system: System, told: Told, workers: Sequence[Worker], poison: dict[bytes, str]) -> list[Difference]:
    """Nothing = all is right; else the smallest witness first. A system that does not come to rest has lost something."""
    try:
        status = await system.settled()
    except AssertionError as restless:
        return [Difference("lost", 0, str(restless))]
    people = told.people()
    gate = asyncio.Semaphore(AT_ONCE)

    async def asked(number: int, person: Truth) -> Held:
        async with gate:
            return await _held(system, person, workers[number % len(workers)])

    held = await asyncio.gather(*(asked(number, person) for number, person in enumerate(people)))
    missing = await _flood(system, told, workers[0])
    found = [*_clusters(held), *_journeys(held), *await _gone(system, told, workers[0])]
    rejected = [(dict(record.headers), record.value) for record in await system.read("behaviour.rejected")]
    found += [*_rejected(rejected, told, poison), *_expired(rejected, missing)]
    found += _merges([json.loads(record.value) for record in await system.read("identity.merges")], held)
    expected = sum(len(person.events) for person in people) + len(told.flooded) - len(missing)
    if status["events"] != expected:
        found.append(Difference("wrong outputs", expected, f"status counts {status['events']} events, not {expected}"))
    return sorted(found, key=lambda one: (one.size, one))


async def _held(system: System, person: Truth, worker: Worker) -> Held:
    held = Held(person)
    for name in sorted(person.names):
        answer = await system.get(path_of("identities", *name), worker)
        if answer.status == 200:
            held.uids.append(answer.body["unified_user_id"])
            held.names.append(frozenset((one["namespace"], one["value"]) for one in answer.body["identifiers"]))
            held.absorbed = frozenset(answer.body["absorbed"])
        else:
            held.uids.append(f"{answer.status}")
    for uid in set(held.uids):
        if uid.startswith("u_"):
            held.items += await system.walk(f"/v1/users/{uid}/journey", 1000, worker=worker)
            held.counted += (await system.known(f"/v1/users/{uid}", worker))["events"]
    return held


def _clusters(held: Sequence[Held]) -> Iterator[Difference]:
    owners = Counter(uid for one in held for uid in set(one.uids))
    for one in held:
        if set(one.names) != {one.person.names} or len(set(one.uids)) != 1 or owners[one.uids[0]] != 1:
            told = f"{sorted(one.person.names)} are {sorted(set(one.uids))} with {[sorted(names) for names in set(one.names)]}"
            yield Difference("wrong clusters", len(one.person.events), told)


def _journeys(held: Sequence[Held]) -> Iterator[Difference]:
    where: dict[str, list[int]] = {}
    for number, one in enumerate(held):
        for event_id in one.ids:
            where.setdefault(event_id, []).append(number)
    for number, one in enumerate(held):
        size, who = len(one.person.events), sorted(one.person.names)[0]
        for event in one.person.events:
            places = where.pop(event.event_id, [])
            if not places:
                yield Difference("lost", size, f"{event.event_id} of {who} is nowhere")
            elif len(places) > 1:
                yield Difference("doubled", size, f"{event.event_id} of {who} is there {len(places)} times")
            elif places != [number]:
                yield Difference(
                    "misplaced", size, f"{event.event_id} of {who} is in the journey of {held[places[0]].person.names}"
                )
        yield from _order(one, size)
    for event_id, places in where.items():
        yield Difference("misplaced", 0, f"{event_id} is in the journey of {sorted(held[places[0]].person.names)}, and nobody's")


def _order(one: Held, size: int) -> Iterator[Difference]:
    if sorted(one.ids) != sorted(one.person.ids):
        return
    if one.ids != one.person.ids:
        yield Difference("misplaced", size, f"the journey of {sorted(one.person.names)[0]} is in another order: {one.ids}")
    elif one.counted != size:
        yield Difference("misplaced", size, f"the profile of {sorted(one.person.names)[0]} counts {one.counted}, not {size}")
    else:
        for event, item in zip(one.person.events, one.items, strict=True):
            if not agrees(event, item):
                yield Difference("misplaced", size, f"{event} is told as {item}")


async def _gone(system: System, told: Told, worker: Worker) -> list[Difference]:
    found = []
    for name in (name for number in told.left for name in leaver(number)):
        answer = await system.get(path_of("journeys", *name), worker)
        if answer.status != 404:
            found.append(Difference("wrong clusters", 0, f"{name} was erased and is answered {answer.status} {answer.body}"))
    return found


async def _flood(system: System, told: Told, worker: Worker) -> list[str]:
    """The event ids of the flood that are nobody's."""
    missing = []
    for event in told.flooded:
        answer = await system.get(path_of("journeys", *event.names[0]), worker)
        if answer.status == 404:
            missing.append(event.event_id)
        else:
            assert [item["event_id"] for item in answer.body["items"]] == [event.event_id], answer
    return missing


Rejected = tuple[dict[str, bytes], bytes]


def _rejected(records: Sequence[Rejected], told: Told, poison: dict[bytes, str]) -> Iterator[Difference]:
    """Each record that is no event is rejected for its reason, and nothing else is.

    What is late for somebody erased is rejected, or came before the erasure did and went with it.
    """
    late = {event.event_id: event.record for event in told.late}
    for headers, raw in records:
        if headers["reason"] != b"erased":
            continue
        event_id = headers["event_id"].decode()
        if event_id not in late:
            yield Difference("wrong outputs", 0, f"{event_id} was rejected as erased")
        elif raw != late[event_id] and headers["source_offset"] != b"-1":
            yield Difference("wrong outputs", 0, f"{event_id} was rejected with other bytes than its own: {raw!r}")
    reasons = {raw: headers["reason"].decode() for headers, raw in records if headers["reason"] not in (b"erased", b"expired")}
    for raw in sorted(reasons.keys() | poison.keys()):
        if reasons.get(raw) != poison.get(raw):
            yield Difference("wrong outputs", 0, f"{raw[:60]!r} was rejected as {reasons.get(raw)}, not {poison.get(raw)}")


def _expired(records: Sequence[Rejected], missing: list[str]) -> Iterator[Difference]:
    """What retention took unread is told with its number."""
    told = [headers for headers, _ in records if headers["reason"] == b"expired"]
    gaps = {(one["source_topic"], one["source_partition"], one["source_offset"], one["count"]) for one in told}
    counted = sum(int(count) for *_, count in gaps)
    if counted != len(missing):
        yield Difference(
            "lost", 0, f"{len(missing)} events were deleted unread, {counted} are told of, the first is {missing[:1]}"
        )


def _merges(records: Sequence[dict[str, Any]], held: Sequence[Held]) -> Iterator[Difference]:
    """A uid loses once, and to the same uid each time it is said; who has lost leads to who has absorbed it."""
    survivors: dict[str, set[str]] = {}
    for record in records:
        if record["type"] == "merged":
            survivors.setdefault(record["absorbed"], set()).add(record["unified_user_id"])
    for uid, found in survivors.items():
        if len(found) > 1:
            yield Difference("wrong outputs", 0, f"{uid} was absorbed by {sorted(found)}")
    lost_to: dict[str, set[str]] = {}
    for uid in survivors:
        lost_to.setdefault(_root(uid, survivors), set()).add(uid)
    for one in held:
        told = lost_to.get(one.uids[0], set())
        if told != one.absorbed:
            what = f"{one.uids[0]} absorbed {sorted(one.absorbed)}, identity.merges says {sorted(told)}"
            yield Difference("wrong outputs", len(one.person.events), what)


def _root(uid: str, survivors: dict[str, set[str]]) -> str:
    seen = set()
    while uid in survivors and uid not in seen:
        seen.add(uid)
        uid = min(survivors[uid])
    return uid
