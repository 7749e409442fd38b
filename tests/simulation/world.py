"""One seed: a history, the stage and the runtime, brought to rest."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from zlib import crc32

from models.identity import handle
from models.identity import policy as bounds
from models.identity.messages import IdentityMessage, SetPolicy, address
from models.identity.outcome import Output
from models.identity.policy import DEFAULT, Policy
from models.identity.rows import Cluster, Node
from models.ids import IdentifierKey, UnifiedUserId, route
from models.journey_messages import ToJourney
from tests.simulation import journeys
from tests.simulation.history import History, Scale, draw
from tests.simulation.journeys import Journey
from tests.simulation.partition import Faults, Reaction, Rules, Stage
from tests.simulation.runtime import Runtime

LIMITS = {"user_id": 1, "phone": 2, "wecom_userid": 2, "device_id": 2, "anonymous_id": 3}


@dataclass(frozen=True)
class Setting:
    """What one run is made of, beside its seed. Bounds are small, for small histories to reach them."""

    scale: Scale = field(default_factory=Scale)
    policy: Policy = DEFAULT
    faults: Faults = field(default_factory=Faults)
    rules: Rules = field(default_factory=Rules)
    partitions: int = 3
    counted_max: int = 4
    linked_max: int = 128


@dataclass(frozen=True)
class World:
    """A run at rest."""

    history: History
    runtime: Runtime
    setting: Setting
    nodes: dict[IdentifierKey, Node]
    clusters: dict[UnifiedUserId, Cluster]
    journeys: dict[UnifiedUserId, Journey]

    @property
    def live(self) -> dict[UnifiedUserId, Cluster]:
        """The clusters that are persons."""
        return {uid: row for uid, row in self.clusters.items() if row.state == "live"}

    @property
    def outputs(self) -> list[Output]:
        """All records, in some order."""
        return self.runtime.records


def simulate(seed: int, setting: Setting, steps_max: int = 20_000) -> World:
    """Draws a history and brings it to rest. RuntimeError when it never is; AssertionError when a row would be wrong."""
    rng = random.Random(seed * 7919 + 13)
    history = draw(rng, setting.scale, setting.policy)
    return play(history, setting, rng, steps_max)


def play(history: History, setting: Setting, rng: random.Random, steps_max: int = 20_000) -> World:
    """Brings a given history to rest."""
    runtime = Runtime(rng, PEOPLE, setting.partitions, setting.rules, setting.faults)
    policies = [SetPolicy(i, history.policy, 1) for i in range(setting.partitions)]
    with patch.multiple(bounds, COUNTED_MAX=setting.counted_max, LINKED_MAX=setting.linked_max):
        runtime.run([*policies, *history.arrivals], steps_max)
    rows = runtime.rows()
    return World(
        history,
        runtime,
        setting,
        {IdentifierKey(key[2:]): row for key, row in rows.items() if key.startswith("n|")},
        {UnifiedUserId(key[2:]): row for key, row in rows.items() if key.startswith("c|")},
        {UnifiedUserId(key[2:]): row for key, row in rows.items() if key.startswith("j|")},
    )


def place_identity(message: IdentityMessage, partitions: int) -> int:
    """The partition of an identity message."""
    if isinstance(message, SetPolicy):
        return message.partition
    return placed(address(message), partitions)


def placed(name: str, partitions: int) -> int:
    """As the runtime places routes."""
    return crc32(route(IdentifierKey(name)).encode()) % partitions


def react_identity(message: IdentityMessage, read: Callable[[str], Any]) -> Reaction:
    """The real handlers; what they tell a journey takes effect at once, as in models.people."""
    outcome = handle(message, read)
    for key, row in outcome.rows.items():
        assert not isinstance(row, Cluster) or row.into is None or row.into < key[2:], "merged into a younger one"
    rows, sends = dict[str, Any](outcome.rows), list[Any](outcome.messages)

    def seen(key: str) -> Any:
        return rows.get(key) or read(key)

    for told in outcome.journeys:
        kept = journeys.react(told, seen)
        rows |= kept.rows
        sends += kept.sends
    return Reaction(rows, sends, outcome.outputs)


def _is_of_journeys(message: Any) -> bool:
    return isinstance(message, ToJourney | journeys.HandedOver)


PEOPLE = Stage(
    lambda message: journeys.address(message) if _is_of_journeys(message) else address(message),
    lambda message, count: placed(message.uid, count) if _is_of_journeys(message) else place_identity(message, count),
    lambda message, read: (journeys.react if _is_of_journeys(message) else react_identity)(message, read),
)


def drawn_setting(seed: int) -> Setting:
    """A setting for the long run: everything varies."""
    rng = random.Random(seed)
    erasures = rng.choice((0, 0, 0, 3))
    scale = Scale(
        identifiers=rng.choice((3, 5, 8, 12)),
        events=rng.choice((4, 8, 16, 24)),
        shape=rng.choice(("random", "random", "random", "chain", "star")),
        unlinks=rng.choice((0, 0, 2, 5)),
        links=rng.choice((0, 0, 2, 4)),
        erasures=erasures,
        shuffled=rng.random() < 0.7,
    )
    guards = Policy(
        limits=rng.choice(({}, LIMITS)),
        cluster_limit=rng.choice((100, 100, 4)),
        unlinks_max=rng.choice((100, 100, 1)),
        cluster_unlinks_max=rng.choice((1000, 1000, 3)),
        shared_after=rng.choice((3, 3, 2, 1000)),
    )
    faults = Faults(
        crash=rng.choice((0.0, 0.02, 0.06, 0.15)),
        duplicate=rng.choice((0.0, 0.05, 0.2)),
        stall=rng.choice((0.0, 0.5)),
        other_worker=rng.choice((0.0, 0.5, 1.0)),
        lost_disk=rng.choice((0.0, 0.3, 0.7)),
        compact=rng.choice((0.0, 0.05, 0.2)),
        torn=rng.random() < 0.5,
        batch_max=rng.choice((1, 6, 20)),
    )
    rules = Rules(cursor=rng.random() < 0.8)
    partitions, counted_max, linked_max = rng.choice((1, 2, 3, 5)), rng.choice((2, 4, 16)), rng.choice((128, 128, 2))
    return Setting(scale, guards, faults, rules, partitions, counted_max, linked_max)
