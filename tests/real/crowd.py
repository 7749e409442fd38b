"""People as business systems see them, from a seed; and what must come of their behaviour, told by the plain oracle."""

import json
import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from tests.oracle import components

CHANNELS = ("web", "app", "mini_program", "wechat", "wecom", "hotline", "store", "iot")
NAMESPACES = ("user_id", "phone", "email", "wechat_openid", "device_id", "anonymous_id", "order_user_id")
ANCHORS = ("user_id", "wechat_openid", "order_user_id", "phone", "email", "device_id", "anonymous_id")
"""The same by priority (docker/onetrail.toml)."""
BEGIN_MS = 1_790_000_000_000 - 86_400_000 * 300
STAGES = {"page_viewed": "visit", "add_to_cart": "intent", "order_paid": "purchase"}

Name = tuple[str, str]


@dataclass(frozen=True)
class Behaviour:
    """An event as a channel writes it; `occurred_at` in UTC milliseconds."""

    channel: str
    event_id: str
    event: str
    occurred_at: int
    names: tuple[Name, ...]
    more: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def record(self) -> bytes:
        """The record of the topic."""
        told = {
            "event_id": self.event_id,
            "event": self.event,
            "occurred_at": self.occurred_at,
            "identifiers": dict(self.names),
            **self.more,
        }
        return json.dumps(told, ensure_ascii=False).encode()


class Truth(NamedTuple):
    """One person as it must be: all names, and all events in order."""

    names: frozenset[Name]
    events: tuple[Behaviour, ...]

    @property
    def ids(self) -> list[str]:
        """The event ids in order."""
        return [event.event_id for event in self.events]


class Crowd:
    """Makes behaviour of `people` people without end. Each has several names, of which an event shows one to three.

    People are known by number; crowds with other numbers, from `first` on, have nobody in common.
    """

    def __init__(self, seed: int, people: int, first: int = 0) -> None:
        self._random = random.Random(seed)
        self._names = [self._named(number) for number in range(first, first + people)]
        self._told = 0
        self._tag = f"{seed:x}-{first}"

    def _named(self, number: int) -> list[Name]:
        some = self._random.sample(NAMESPACES, k=self._random.randint(1, 5))
        names = [(namespace, self._value(namespace, number)) for namespace in some]
        if ("device_id", f"device {number}/1") in names:
            names.append(("device_id", f"device {number}/2"))
        return names

    def _value(self, namespace: str, number: int) -> str:
        match namespace:
            case "phone":
                return f"+86138{number:08d}"
            case "email":
                return f"kunde{number}@example.com"
            case "device_id":
                return f"device {number}/1"
            case _:
                return f"{namespace}-{number}-客户"

    def events(self, count: int) -> list[Behaviour]:
        """The next events; times are in disorder."""
        return [self._event() for _ in range(count)]

    def _event(self) -> Behaviour:
        chosen = self._random
        self._told += 1
        names = chosen.choice(self._names)
        shown = dict(chosen.sample(names, k=min(len(names), chosen.choice((1, 1, 1, 2, 3)))))
        return Behaviour(
            channel=chosen.choice(CHANNELS),
            event_id=f"{self._tag}-{self._told:06d}",
            event=chosen.choice(["page_viewed", "add_to_cart", "order_paid", "message_read"]),
            occurred_at=BEGIN_MS + chosen.randrange(86_400_000),
            names=tuple(sorted(shown.items())),
            more={"properties": {"number": self._told}},
        )


def truth(behaviours: Iterable[Behaviour], apart: Collection[frozenset[Name]] = ()) -> list[Truth]:
    """Everybody, by flood fill over the names of each event; every event id as it was told first, sorted by (occurred_at, id).

    The names of a pair in `apart` are not linked by events that show just these two; such an event is its anchor's.
    """
    once: dict[str, Behaviour] = {}
    for event in behaviours:
        once.setdefault(event.event_id, event)
    names = {name for event in once.values() for name in event.names}
    links = [pair for event in once.values() for pair in pairwise(event.names) if frozenset(pair) not in apart]
    person_of = {name: person for person in components(names, links) for name in person}
    events: dict[frozenset[Name], list[Behaviour]] = {person: [] for person in person_of.values()}
    for event in once.values():
        events[person_of[min(event.names, key=_rank)]].append(event)
    return [Truth(person, tuple(sorted(found, key=_place))) for person, found in events.items()]


def _rank(name: Name) -> int:
    return ANCHORS.index(name[0])


def _place(event: Behaviour) -> tuple[int, str]:
    return event.occurred_at, event.event_id
