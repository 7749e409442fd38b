"""What happens to people, drawn from a seed: events with identifiers, and operators' requests."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from models.identity.messages import Erase, Occurred, Relink, SetPolicy, Unlink, relink, unlink
from models.identity.policy import DEFAULT, Policy
from models.identity.values import Pair, Sighting, Version, pair
from models.ids import EventId, Identifier, IdentifierKey, key_of

NAMESPACES = ("user_id", "phone", "wecom_userid", "device_id", "anonymous_id")
Injected = Occurred | Unlink | Relink | Erase | SetPolicy
Shape = Literal["random", "chain", "star"]


@dataclass(frozen=True)
class Scale:
    """How much happens."""

    identifiers: int = 10
    events: int = 16
    shape: Shape = "random"
    unlinks: int = 0
    links: int = 0
    erasures: int = 0
    shuffled: bool = True


@dataclass(frozen=True)
class History:
    """What happened, in the order in which it reaches the system."""

    arrivals: tuple[Injected, ...]
    policy: Policy = DEFAULT

    @property
    def events(self) -> list[Occurred]:
        """All events."""
        return [message for message in self.arrivals if isinstance(message, Occurred)]

    @property
    def unlinks(self) -> list[Unlink]:
        """All unlink requests."""
        return [message for message in self.arrivals if isinstance(message, Unlink)]

    @property
    def links(self) -> list[Relink]:
        """All link requests."""
        return [message for message in self.arrivals if isinstance(message, Relink)]

    @property
    def erasures(self) -> list[Erase]:
        """All erasure requests."""
        return [message for message in self.arrivals if isinstance(message, Erase)]

    def pairs(self) -> set[Pair]:
        """Every pair that an event shows: the anchor with each other one."""
        return {pair(event.key, other.key) for event in self.events for other in event.identifiers[1:]}


def sighting(name: str, secret: bytes = b"simulation") -> Sighting:
    """`namespace:value` as an event shows it."""
    namespace, _, value = name.partition(":")
    return Sighting(key_of(secret, Identifier(namespace, value)), namespace, value)


def event(event_id: str, names: Iterable[str | Sighting], at: int, received_at: int | None = None) -> Occurred:
    """An event with these identifiers, the anchor first."""
    seen = tuple(sighting(name) if isinstance(name, str) else name for name in names)
    return Occurred(seen[0].key, EventId(event_id), at, at if received_at is None else received_at, "web", seen)


def draw(rng: random.Random, scale: Scale, policy: Policy = DEFAULT) -> History:
    """A history of this scale."""
    secret = b"%d" % rng.getrandbits(64)
    people = [sighting(f"{rng.choice(NAMESPACES)}:{i}", secret) for i in range(scale.identifiers)]
    events = [_event(rng, scale, people, i) for i in range(scale.events)]
    last = scale.events * 10
    requests = _requests(rng, scale, people, events, last)
    erasures = [Erase(rng.choice(people).key, f"x{i}", rng.randint(1, last + 50)) for i in range(scale.erasures)]
    arrivals: list[Injected] = [*events, *requests, *erasures]
    if scale.shuffled:
        rng.shuffle(arrivals)
    return History(tuple(arrivals), policy)


def _event(rng: random.Random, scale: Scale, people: list[Sighting], i: int) -> Occurred:
    if scale.shape == "chain":
        at = i % (len(people) - 1)
        seen = [people[at], people[at + 1]]
    elif scale.shape == "star":
        seen = [people[0], people[1 + i % (len(people) - 1)]]
    else:
        start, width = rng.randrange(len(people)), rng.choice((2, 4, 8, len(people)))
        pool = [people[(start + step) % len(people)] for step in range(min(width, len(people)))]
        seen = rng.sample(pool, min(rng.choice((1, 1, 2, 2, 2, 3, 4)), len(pool)))
    if rng.random() < 0.5:
        rng.shuffle(seen)
    at = (i + 1) * 10
    return event(f"e{i}", seen, at, max(0, at + rng.choice((0, 0, 0, 10, 35))))


def _requests(
    rng: random.Random, scale: Scale, people: list[Sighting], events: list[Occurred], last: int
) -> list[Unlink | Relink]:
    count = scale.unlinks + scale.links
    times = [rng.randint(1, last + 50) for _ in range(count)]
    shown = [(e.identifiers[0], other) for e in events for other in e.identifiers[1:]]
    chosen: list[tuple[Sighting, Sighting]] = []
    made: list[Unlink | Relink] = []
    for i in range(count):
        a, b = _pair(rng, people, shown, chosen, again=0.1 if i < scale.unlinks else 0.8)
        chosen.append((a, b))
        version = Version(times[i], f"r{i}")
        made.append(unlink(a.key, b.key, version) if i < scale.unlinks else relink(a, b, version))
    return made


def _pair(
    rng: random.Random,
    people: list[Sighting],
    shown: list[tuple[Sighting, Sighting]],
    chosen: list[tuple[Sighting, Sighting]],
    again: float,
) -> tuple[Sighting, Sighting]:
    """A pair that was asked about before, a linked one, any one, or one with an identifier that no event shows."""
    if chosen and rng.random() < again:
        return rng.choice(chosen)
    drawn = rng.random()
    if drawn < 0.5 or not shown:
        a, b = rng.sample(people, 2)
        return a, b
    a, b = rng.choice(shown)
    return (a, sighting(f"user_id:new{len(chosen)}")) if drawn < 0.55 else (a, b)


def name_of(people: Iterable[Sighting], key: IdentifierKey) -> str:
    """`namespace:value` of a key, for messages of tests."""
    return next(f"{one.namespace}:{one.value}" for one in people if one.key == key)
