"""One turn for identities and journeys: in whatever order messages come, an event lies with whoever has its anchor."""

import random
from collections.abc import Iterator

import msgspec
import pytest

from app.runtime.packs import place
from models.event import Event
from models.identity.messages import Answer, Erase, Unlink, relink, unlink
from models.identity.rows import Cluster
from models.identity.values import Version
from models.ids import EventId, Identifier, UnifiedUserId, route
from models.journey.messages import RetentionDue
from models.journey.rows import Header
from models.occurrence import occurred
from models.people import PeopleMessage, handle, route_of
from tests.models.journey.shelf import Shelf

SECRET = b"0123456789abcdef"
PARTITIONS, PEOPLE, EVENTS = 3, 6, 40
NAMESPACES = ("user_id", "phone", "anonymous_id")
SEEDS = 30


def event(number: int, *identifiers: Identifier) -> Event:
    at = 1_780_000_000_000 + number
    return Event(EventId(f"e{number:03d}"), "seen", "web", at, at, identifiers)


class World:
    """Partitions with a queue each; of what waits, any message at the head of a queue is next."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.shelves = [Shelf() for _ in range(PARTITIONS)]
        self.queues: list[list[PeopleMessage]] = [[] for _ in range(PARTITIONS)]

    def say(self, *said: PeopleMessage) -> None:
        for message in said:
            self.queues[place(route_of(message), PARTITIONS)].append(message)

    def rest(self, left: int = 0, at_most: int = 1_000) -> None:
        """Until no more than so many messages wait, which may take so many turns."""
        while sum(map(len, self.queues)) > left:
            assert at_most, f"still waiting: {[queue[:3] for queue in self.queues]}"
            at_most -= 1
            home = self.random.choice([n for n, queue in enumerate(self.queues) if queue])
            outcome = handle(self.queues[home].pop(0), self.shelves[home])
            assert {place(route_of(heard.message), PARTITIONS) for heard in outcome.heard} <= {home}, "a journey is elsewhere"
            self.say(*outcome.messages)

    def clusters(self) -> Iterator[tuple[UnifiedUserId, Cluster]]:
        for shelf in self.shelves:
            for key, row in shelf.rows.items():
                if isinstance(row, Cluster) and row.state == "live":
                    yield UnifiedUserId(key[2:].decode()), row

    def shelf(self, uid: UnifiedUserId) -> Shelf:
        return self.shelves[place(route(uid), PARTITIONS)]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_at_rest_an_event_lies_with_whoever_has_its_anchor(seed: int) -> None:
    world = World(seed)
    known = [Identifier(namespace, str(n)) for namespace in NAMESPACES for n in range(PEOPLE)]
    anchors = {}
    for number in range(EVENTS):
        message = occurred(event(number, *world.random.sample(known, world.random.choice((1, 1, 2, 3)))), SECRET)
        anchors[message.event_id] = message.key
        world.say(message)
        world.rest(left=world.random.randrange(8))
        if number % 10 == 9:
            one, other = sorted(world.random.sample(sorted(set(anchors.values())), 2))
            world.say(Unlink(one, other, Version(number, f"apart {number}")))
    world.rest()
    (gone, *_) = sorted(anchors.values())
    holder = next((cluster for _, cluster in world.clusters() if gone in cluster.content.members), None)
    assert holder is not None
    world.say(Erase(gone, "forget", 1_790_000_000_000))
    world.rest()
    erased = set(holder.content.members)

    lie = []
    for uid, cluster in world.clusters():
        for found in world.shelf(uid).events(uid):
            assert anchors[found.event_id] in cluster.content.members
            lie.append(found.event_id)
    assert sorted(lie) == sorted(name for name, anchor in anchors.items() if anchor not in erased)


def test_an_event_after_a_parting_that_was_heard_late_and_a_link_comes_to_rest() -> None:
    """Who left holds the anchor by an older version than who was left, and absorbs them: no opinion of theirs leads round."""
    world = World(0)
    first = occurred(event(10, Identifier("user_id", "ann"), Identifier("phone", "1")), SECRET)
    one, other = first.identifiers
    at = first.occurred_at
    for said in (first, unlink(one.key, other.key, Version(at - 5, "apart")), relink(one, other, Version(at + 40, "again"))):
        world.say(said)
        world.rest()
    last = occurred(event(60, Identifier(other.namespace, other.value)), SECRET)
    world.say(last)
    world.rest(at_most=9)
    ((uid, cluster),) = world.clusters()
    assert set(cluster.content.members) == {one.key, other.key}
    assert world.shelf(uid).ids(uid) == ["e010", "e060"]


def test_who_was_told_once_has_a_person_and_a_journey_after_one_turn() -> None:
    world = World(0)
    first = occurred(event(1, Identifier("user_id", "ann")), SECRET)
    outcome = handle(first, world.shelf(UnifiedUserId(first.key)))
    assert outcome.messages == []
    ((uid, _),) = world.clusters()
    assert [found.event_id for found in world.shelf(uid).events(uid)] == ["e001"]
    assert sorted(key[:2] for key in world.shelf(uid).rows) == [b"c|", b"e|", b"h|", b"n|", b"t|"]


def test_a_turn_that_fails_in_the_journey_fails_as_a_whole() -> None:
    world = World(0)
    broken = occurred(event(1, Identifier("user_id", "ann")), SECRET)
    with pytest.raises(ValueError, match="MessagePack"):
        handle(msgspec.structs.replace(broken, body=b"\xc1"), world.shelves[0])


def test_every_message_has_its_place() -> None:
    uid = UnifiedUserId("u_" + "x" * 44)
    assert route_of(RetentionDue(uid, 1)) == uid[-22:]
    assert route_of(Answer("request", "done")) == "request"


def test_a_header_is_no_cluster() -> None:
    """Rows of both kinds lie side by side, under letters of their own."""
    world = World(0)
    for number in range(3):
        world.say(occurred(event(number, Identifier("user_id", "ann")), SECRET))
    world.rest()
    kinds = {(key[:2], type(row)) for shelf in world.shelves for key, row in shelf.rows.items()}
    assert len(kinds) == len({letter for letter, _ in kinds})
    assert (b"h|", Header) in kinds
