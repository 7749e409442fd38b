"""Compares what a system answers with what is true, person by person."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from tests.real.crowd import STAGES, Behaviour, Name, Truth
from tests.real.system import System, Unreachable, Worker, path_of

AT_ONCE = 6
SHOWN = 3


async def differences(system: System, people: Sequence[Truth], worker: Worker | None = None) -> list[str]:
    """What is wrong, in words; nothing = all of it is right."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def judged(person: Truth) -> list[str]:
        async with gate:
            return await _person(system, person, worker)

    found = [fault for faults in await asyncio.gather(*map(judged, people)) for fault in faults]
    status = await system.settled()
    expected = sum(len(person.events) for person in people)
    if status["events"] != expected:
        found.append(f"status counts {status['events']} events, not {expected}")
    return found[:SHOWN]


async def _person(system: System, person: Truth, worker: Worker | None) -> list[str]:
    names = sorted(person.names)
    identities = [await system.known(path_of("identities", *name), worker) for name in names]
    uids = {identity["unified_user_id"] for identity in identities}
    if len(uids) != 1:
        return [f"{names} are {len(uids)} people"]
    faults = [] if _names(identities[0]) == person.names else [f"{names} have {sorted(_names(identities[0]))}"]
    items = await system.walk(path_of("journeys", *names[-1]), 1000, worker=worker)
    if [item["event_id"] for item in items] != person.ids:
        faults.append(_journey_fault(names, [item["event_id"] for item in items], person.ids))
    faults += [f"{event.event_id}: {item}" for event, item in zip(person.events, items, strict=False) if not agrees(event, item)]
    profile = await system.known(f"/v1/users/{uids.pop()}", worker)
    if profile["events"] != len(person.events) or sum(profile["channels"].values()) != len(person.events):
        faults.append(f"{names}: profile counts {profile['events']} {profile['channels']}, not {len(person.events)}")
    return faults


def _names(identity: dict[str, Any]) -> frozenset[Name]:
    return frozenset((one["namespace"], one["value"]) for one in identity["identifiers"])


def _journey_fault(names: Iterable[Name], found: Sequence[str], wanted: Sequence[str]) -> str:
    missing, foreign = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    doubled = len(found) - len(set(found))
    return f"{list(names)}: missing {missing[:SHOWN]}, foreign {foreign[:SHOWN]}, doubled {doubled}, else another order"


def agrees(event: Behaviour, item: dict[str, Any]) -> bool:
    """Whether an item of a journey says what its event said."""
    told = (event.event_id, event.event, event.channel, dict(event.names), event.more.get("properties", {}))
    shown = tuple(item[field] for field in ("event_id", "event", "channel", "identifiers", "properties"))
    return told == shown and item["stage"] == STAGES.get(event.event)


async def wrong_answers(system: System, people: Sequence[Truth], worker: Worker) -> tuple[list[str], int]:
    """One lookup for each person while things move: answers that are neither right nor 503, and how many got none.

    The people do not change meanwhile.
    """
    found, refused = [], 0
    for person in people:
        name = min(person.names)
        try:
            answer = await system.get(path_of("journeys", *name) + "?limit=1000", worker)
        except Unreachable:
            refused += 1
            continue
        refused += answer.status == 503
        if answer.status not in (200, 503):
            found.append(f"{name}: {answer.status} {answer.body}")
        elif answer.status == 200 and [item["event_id"] for item in answer.body["items"]] != person.ids:
            found.append(f"{name}: {len(answer.body['items'])} events of {len(person.events)}")
    return found[:SHOWN], refused
