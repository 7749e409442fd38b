"""Retention as the simulation sees it: when timers come, which events left the timelines, and which came too late."""

from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any

from msgspec.structs import replace

from models.event import Event
from models.ids import EventId, UnifiedUserId
from models.journey import actor, ageing, sweep
from models.journey.messages import Age, Slice
from models.journey.outcome import Outcome, Rows
from models.journey.rows import Header
from models.journey.summary import EMPTY, Summary
from models.journey_messages import EventPlaced
from tests.models.journey.making import decode
from tests.models.journey.shelf import folded

Patch = tuple[object, str, Callable[..., Any]]
_start, _age, _complete = sweep.start, ageing.age, actor._complete

SPAN = 8
"""Events occur within so many milliseconds behind the limit, some before it."""


class Retention:
    """What is true of one history. The limit rises only while nothing is under way, as an hour is longer than any hand-over."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.limit, self.latest = 0, 0
        self.aged: defaultdict[UnifiedUserId, list[Event]] = defaultdict(list)
        """By the journey that they were in."""
        self._late: set[tuple[EventId, int]] = set()

    def rise(self) -> int:
        """The limit of the next timer."""
        self.limit += self._random.randint(1, SPAN // 2)
        return self.limit

    def time(self, earlier: list[Event], until: int) -> int:
        """When an event occurs: after `until`. A retry of one that may have aged has a time before the limit too."""
        if any(event.occurred_at < self.limit for event in earlier):
            return self._random.randrange(until + 1, self.limit)
        since = max(0, self.limit - 1, until + 1)
        at = self._random.randrange(since, max(since, self.limit) + SPAN)
        self.latest = max(self.latest, at)
        return at

    def leave(self, uid: UnifiedUserId, events: list[Event]) -> None:
        """These events left a timeline."""
        known = self.names()
        for event in events:
            assert event.event_id not in known, f"{event.event_id} left {uid}, and was counted before"
            assert event.occurred_at < self.limit
        self.aged[uid] += events

    def names(self) -> set[str]:
        """The events that are no longer listed."""
        return {event.event_id for events in self.aged.values() for event in events}

    def refuse(self, late: list[EventPlaced]) -> None:
        """These were reported as too late."""
        self._late |= {(one.event_id, decode(one.body).received_at) for one in late}

    def is_late(self, event: Event) -> bool:
        """Whether a delivery was reported."""
        return (event.event_id, event.received_at) in self._late

    def remembered(self, uids: set[UnifiedUserId]) -> Summary:
        """Of what left the timelines of these journeys."""
        return folded([event for uid in sorted(uids) for event in self.aged[uid]])


def _forget_at_a_refold(uid: UnifiedUserId, header: Header, out: Outcome) -> Header:
    begun = _start(uid, header, out)
    assert begun.sweep is not None
    return replace(begun, sweep=replace(begun.sweep, summary=EMPTY))


def _age_what_is_given_away(message: Age, header: Header, rows: Rows, out: Outcome) -> Header:
    return replace(_age(message, replace(header, sweep=None), rows, out), sweep=header.sweep)


def _never_rest(message: Age, header: Header, rows: Rows, out: Outcome) -> Header:
    return _age(message, replace(header, rested=0), rows, out)


def _leave_totals_behind(header: Header, message: Slice, out: Outcome) -> Header:
    return _complete(header, replace(message, aged=EMPTY), out)


def _count_totals_again(header: Header, message: Slice, out: Outcome) -> Header:
    return _complete(_complete(header, message, out), message, out)


MUTANTS: dict[str, Patch] = {
    "forgets totals at a refold": (sweep, "start", _forget_at_a_refold),
    "ages what is being given away": (ageing, "age", _age_what_is_given_away),
    "ages what was just given": (ageing, "age", _never_rest),
    "enters what comes too late": (ageing, "is_too_late", lambda occurred_at, rows: False),
    "totals stay with the absorbed": (actor, "_complete", _leave_totals_behind),
    "totals are taken over twice": (actor, "_complete", _count_totals_again),
}
"""Journeys with one rule of retention left out each."""
