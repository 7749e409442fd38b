"""The usual event in one step, held to the handlers that it passes by: the same rows, and nothing that they would say besides.

Each condition that it needs of rows and of the event itself is taken away once; the law must then fail.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from app.runtime.packs import place
from models import people
from models.clicks import Click
from models.event import Event
from models.identity import usual as identities
from models.identity.messages import Deliver, Erase, Unlink
from models.identity.rows import Node
from models.identity.values import Sighting, Version
from models.ids import EventId, Identifier, IdentifierKey, UnifiedUserId, mint, route
from models.journey import usual as journeys
from models.journey.messages import RetentionDue
from models.journey.outcome import Outcome
from models.journey.summary import fold
from models.occurrence import occurred
from models.people import EVENTS, PeopleMessage, route_of
from tests.models.journey.shelf import Shelf
from tests.models.test_people import NAMESPACES, SECRET, event

PARTITIONS, PEOPLE, MESSAGES, SEEDS = 2, 4, 120, 12
Given = pytest.MonkeyPatch


class Partition(Shelf):
    """Rows that can be copied, and what the handlers say of a message in the place of `enter`."""

    def copied(self) -> "Partition":
        copy = Partition()
        copy.rows, copy._known = dict(self.rows), set(self._known)
        for prefix, keys in self._scanned.items():
            copy._scanned[prefix] = list(keys)
        return copy


class World:
    """People who come, click, are linked, parted, erased and come again, and what is old goes; told in any order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.shelves = [Partition() for _ in range(PARTITIONS)]
        self.queues: list[list[PeopleMessage]] = [[] for _ in range(PARTITIONS)]
        self.anchors: list[Any] = []
        self.usual = 0

    def live(self) -> None:
        for number in range(MESSAGES):
            self._happen(number)
            while any(self.queues) and self.random.random() < 0.8:
                self._handle()

    def say(self, message: PeopleMessage) -> None:
        self.queues[place(route_of(message), PARTITIONS)].append(message)

    def _happen(self, number: int) -> None:
        known = [Identifier(namespace, str(n)) for namespace in NAMESPACES for n in range(PEOPLE)]
        chance = self.random.random()
        if chance < 0.04 and len(set(self.anchors)) > 1:
            one, other = sorted(self.random.sample(sorted(set(self.anchors)), 2))
            self.say(Unlink(one, other, Version(number, f"apart {number}")))
        elif chance < 0.07 and self.anchors:
            self.say(Erase(self.random.choice(self.anchors), f"erased {number}", event(number - 5).occurred_at))
        elif chance < 0.09:
            for queue in self.queues:
                queue.append(RetentionDue(UnifiedUserId(""), event(number - 60).occurred_at))
        else:
            named = self.random.sample(known[: 2 if chance < 0.6 else None], self.random.choice((1, 1, 1, 2)))
            told = occurred(self._event(number, *named), SECRET)
            self.anchors.append(told.key)
            self.say(told)

    def _event(self, number: int, *named: Identifier) -> Event:
        at = max(0, number - self.random.choice((0, 0, 0, 8, 80)))
        click = Click("5.button", "text", 0, at, b"{}") if self.random.random() < 0.1 else None
        return msgspec.structs.replace(event(at, *named), stage=self.random.choice((None, None, "cart", "paid")), click=click)

    def _handle(self) -> None:
        home = self.random.choice([n for n, queue in enumerate(self.queues) if queue])
        message, shelf = self.queues[home].pop(0), self.shelves[home]
        copy, before = shelf.copied(), dict(shelf.rows)
        entered = isinstance(message, EVENTS) and people.enter(message, shelf)
        with the_long_way():
            outcome = people.handle(message, copy)
        if entered:
            self.usual += 1
            assert (outcome.messages, outcome.outputs) == ([], [])
            assert [heard.outcome for heard in outcome.heard] == [Outcome()]
            assert shelf.rows == copy.rows
        else:
            assert shelf.rows == before
            outcome = people.handle(message, shelf)
            assert shelf.rows == copy.rows
        for sent in outcome.messages:
            self.say(sent)


@contextmanager
def the_long_way() -> Iterator[None]:
    """No event is usual."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journeys, "enter", lambda *anything: False)
        yield


def lived(seed: int) -> World:
    world = World(seed)
    world.live()
    return world


def all_lived() -> None:
    for seed in range(10 * SEEDS):
        lived(seed)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_usual_way_and_the_long_way_come_to_the_same(seed: int) -> None:
    assert lived(seed).usual > MESSAGES // 10, "there are usual events"


def test_what_was_found_of_a_route_is_forgotten_when_a_row_of_it_changes() -> None:
    shelf = Partition()
    for number in range(2):
        seen = occurred(event(number, Identifier("user_id", "ann")), SECRET)
        if not people.enter(seen, shelf):
            people.handle(seen, shelf)
    home = route(seen.key)
    assert shelf.found[home][0] == seen.key
    people.handle(Unlink(seen.key, IdentifierKey("z"), Version(9, "apart")), shelf)
    assert home not in shelf.found


def test_what_was_found_of_another_identifier_of_the_same_route_says_nothing() -> None:
    shelf, seen = Partition(), occurred(event(1, Identifier("user_id", "ann")), SECRET)
    other = IdentifierKey(seen.key[:-22] + "x" * 22)
    shelf.found.put(route(seen.key), (other, mint(1, "", other), -1))
    assert identities.holder(seen, shelf) is None
    uid = mint(1, "", seen.key)
    rows: dict[bytes, Any] = shelf.rows
    rows[f"n|{seen.key}".encode()] = Node(uid, 1)
    assert identities.holder(seen, shelf) == (uid, seen.key)


def test_an_event_that_made_a_detour_is_for_the_handlers() -> None:
    anchor = Sighting(IdentifierKey("k"), "user_id", "ann")
    straight = Deliver(UnifiedUserId("u"), anchor, EventId("e"), 1, 1, "web")
    assert identities.holder(straight, Partition()) == ("u", "k")
    assert identities.holder(msgspec.structs.replace(straight, detours=1), Partition()) is None


def _erasure_ignored(patch: Given) -> None:
    whole = identities._home

    def home(*given: Any) -> Any:
        found = whole(*given)
        return found and (found[0], found[1], -1)

    patch.setattr(identities, "_home", home)


def _counted(patch: Given) -> None:
    patch.setattr(identities, "COUNTED_MAX", 1)


def _anybody_is_at_home(patch: Given) -> None:
    patch.setattr(identities, "is_at_home", lambda *anything: True)


def _any_journey_rests(patch: Given) -> None:
    patch.setattr(journeys, "_is_at_rest", lambda *anything: True)


def _no_event_was_here(patch: Given) -> None:
    patch.setattr(journeys, "id_key", lambda uid, event_id: f"e|{uid}|{event_id} ".encode())


def _clicks_are_as_others(patch: Given) -> None:
    patch.setattr(journeys, "_decode", lambda body: msgspec.structs.replace(msgspec.msgpack.decode(body, type=Event), click=None))


def _stages_are_not_told(patch: Given) -> None:
    patch.setattr(journeys, "fold", lambda summary, event: msgspec.structs.replace(fold(summary, event), stages=summary.stages))


def _nothing_is_old(patch: Given) -> None:
    patch.setattr(journeys, "LIMIT", b"o|nothing")


MUTANTS: tuple[Callable[[Given], None], ...] = (
    _erasure_ignored,
    _counted,
    _anybody_is_at_home,
    _any_journey_rests,
    _no_event_was_here,
    _clicks_are_as_others,
    _stages_are_not_told,
    _nothing_is_old,
)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_without_a_condition_the_law_fails(mutant: Callable[[Given], None], monkeypatch: Given) -> None:
    mutant(monkeypatch)
    with pytest.raises((AssertionError, KeyError, AttributeError)):
        all_lived()
