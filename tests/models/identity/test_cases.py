"""The cases that decide what one person is (identity protocol, section 11): each is a story and its end."""

from itertools import permutations

import pytest

from models.identity import handle, handshake
from models.identity.messages import (
    Accept,
    Apart,
    EraseCluster,
    IdentityMessage,
    Link,
    LinkNode,
    Propose,
    Refuse,
    Retry,
    SetPolicy,
    Spawn,
)
from models.identity.outcome import Erased, Merged, Split, Suppressed
from models.identity.policy import Policy
from models.identity.rows import Cluster
from models.identity.turn import Turn
from models.identity.values import Bond, Evidence, Refusal
from models.ids import EventId
from models.journey_messages import JourneyClosed, JourneyErased, JourneySplit
from tests.models.identity.actors import Actors, people
from tests.simulation.history import sighting

UNIQUE_USERS = Policy(limits={"user_id": 1})


def test_one_event_makes_one_person_of_two_identifiers() -> None:
    actors = Actors().told("t1 web anonymous_id:a user_id:7")
    assert actors.persons() == people("anonymous_id:a user_id:7")
    assert actors.uid("anonymous_id:a") == actors.uid("user_id:7")


def test_the_person_born_first_survives_and_the_other_answers_through_it() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 app device_id:2")
    elder, younger = actors.uid("user_id:1"), actors.uid("device_id:2")
    actors.told("t3 app device_id:2 user_id:1")
    assert actors.uid("device_id:2") == elder
    assert actors.rows[f"c|{younger}"] == Cluster("merged", into=elder, number=1)
    assert [(one.absorbed, one.survivor) for one in actors.outputs if isinstance(one, Merged)] == [(younger, elder)]
    assert [(one.uid, one.into) for one in actors.journeys if isinstance(one, JourneyClosed)] == [(younger, elder)]


def test_births_at_the_same_moment_are_ordered_by_uid() -> None:
    actors = Actors().told("t1 web user_id:1").told("t1 app device_id:2")
    both = actors.uid("user_id:1"), actors.uid("device_id:2")
    actors.told("t3 app device_id:2 user_id:1")
    assert actors.uid("user_id:1") == min(one for one in both if one)


ROWS = (
    "t1 crm phone:p1 member_id:m7",
    "t2 im wecom_userid:w9 phone:p1",
    "t3 web anonymous_id:c1 phone:p1",
    "t4 web anonymous_id:c2",
)


@pytest.mark.parametrize("order", list(permutations(ROWS)), ids=lambda order: " ".join(row[:2] for row in order))
def test_rows_of_three_systems_make_two_users_in_any_order_and_twice(order: tuple[str, ...]) -> None:
    actors = Actors()
    for row in order * 2:
        actors.told(row)
    assert actors.persons() == people("phone:p1 member_id:m7 wecom_userid:w9 anonymous_id:c1", "anonymous_id:c2")


def test_a_shared_tablet_makes_no_person_of_its_users() -> None:
    actors = Actors(UNIQUE_USERS)
    for i in range(10):
        actors.told(f"t{i + 1} web user_id:{i} device_id:tablet")
    assert actors.persons() == people("user_id:0 device_id:tablet", *(f"user_id:{i}" for i in range(1, 10)))
    assert actors.refused("user_id:1") == {"device_id:tablet": "limit"}
    assert actors.refused("device_id:tablet")["user_id:9"] == "shared"
    assert {(f"e{i + 1}", actors.uid(f"user_id:{i}")) for i in range(10)} == actors.events()


def test_two_users_with_one_email_stay_two() -> None:
    actors = Actors(UNIQUE_USERS).told("t1 web user_id:u1 email:e").told("t2 web user_id:u2 email:e")
    assert actors.persons() == people("user_id:u1 email:e", "user_id:u2")
    assert actors.refused("user_id:u2") == {"email:e": "limit"} == {"email:e": actors.refused("email:e")["user_id:u2"]}


def test_of_two_values_in_one_event_the_second_is_refused() -> None:
    actors = Actors(UNIQUE_USERS).told("t1 web user_id:u1 user_id:u2 device_id:d")
    assert actors.persons() == people("user_id:u1 device_id:d", "user_id:u2")
    assert actors.refused("user_id:u1") == {"user_id:u2": "limit"}
    assert actors.refused("user_id:u2") == {"user_id:u1": "limit"}


def test_unlinking_where_the_uid_was_born_leaves_the_uid_there() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 web user_id:1 phone:2")
    uid = actors.uid("user_id:1")
    actors.told("t3 unlink phone:2 user_id:1")
    assert actors.uid("user_id:1") == uid != actors.uid("phone:2")
    assert actors.persons() == people("user_id:1", "phone:2")
    split = next(one for one in actors.outputs if isinstance(one, Split))
    assert (split.fragment, split.origin) == (actors.uid("phone:2"), uid)
    assert any(isinstance(one, JourneySplit) and one.fragment == split.fragment for one in actors.journeys)


def test_an_unlink_before_the_first_evidence_makes_nobody_but_holds() -> None:
    actors = Actors().told("t1 unlink user_id:1 phone:2")
    assert actors.persons() == set()
    assert actors.result("r1") == ("done", "")
    actors.told("t2 web user_id:1 phone:2")
    assert actors.persons() == people("user_id:1", "phone:2")
    assert actors.refused("user_id:1") == {"phone:2": "kept_apart"}


def test_unlinked_merged_by_another_path_and_unlinked_again() -> None:
    actors = Actors().told("t1 web user_id:1 phone:2")
    actors.told("t2 unlink user_id:1 phone:2").told("t3 link user_id:1 phone:2")
    assert actors.persons() == people("user_id:1 phone:2")
    actors.told("t4 unlink user_id:1 phone:2")
    assert actors.persons() == people("user_id:1", "phone:2")
    actors.told("t5 web user_id:1 email:3").told("t6 web email:3 phone:2")
    assert actors.persons() == people("user_id:1 email:3", "phone:2")
    assert actors.refused("phone:2") == {"user_id:1": "kept_apart", "email:3": "kept_apart"}


def test_an_erasure_waits_while_frozen_and_then_covers_the_whole_person() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 web phone:2")
    elder, younger = actors.uid("user_id:1"), actors.uid("phone:2")
    actors.hold(Propose).told("t3 web phone:2 user_id:1").told("t4 erase phone:2")
    assert actors.cluster("phone:2").state == "frozen"
    actors.let_go()
    assert actors.persons() == set()
    assert {one.uid for one in actors.outputs if isinstance(one, Erased)} == {elder, younger}
    assert any(isinstance(one, JourneyErased) and one.uid == elder for one in actors.journeys)
    assert actors.result("r4") == ("done", "")


def test_after_an_erasure_a_new_event_begins_a_new_person_and_old_ones_none() -> None:
    actors = Actors().told("t1 web user_id:1 phone:2")
    before = actors.uid("user_id:1")
    actors.told("t5 erase phone:2").told("t6 web user_id:1")
    assert actors.persons() == people("user_id:1")
    assert actors.uid("user_id:1") != before
    actors.told("t1 web user_id:1 phone:2").told("t4 web phone:2")
    assert actors.persons() == people("user_id:1")
    assert [one.occurred_at for one in actors.outputs if isinstance(one, Suppressed)] == [1000, 4000]


def early_proposal() -> tuple[Actors, IdentityMessage]:
    """A proposal comes while its elder's content is on the way, is sent elsewhere, and its proposer goes elsewhere."""
    actors = Actors().told("t1 web device_id:g").told("t2 web user_id:1 phone:2").told("t9 web email:3")
    actors.hold(Spawn).told("t5 unlink user_id:1 phone:2")
    spawn = actors.held[0]
    assert isinstance(spawn, Spawn)
    left = next(iter(spawn.content.members.values())).name
    bond = Bond(sighting("email:3"), sighting(left), Evidence(9500, EventId("e"), "web", 9500))
    actors.hold(Spawn, Propose).tell(Link(actors.uid("email:3"), bond, spawn.uid))
    proposal = actors.held[-1]
    actors.hold(Spawn, LinkNode).tell(proposal)
    actors.hold(Spawn).told("t10 web email:3 device_id:g")
    assert people("email:3 device_id:g") <= actors.persons()
    link = next(one for one in actors.held if isinstance(one, LinkNode))
    actors.holding, actors.held = (), [link]
    actors.tell(spawn)
    return actors, proposal


def test_a_proposal_that_came_before_its_elder_is_not_accepted_later() -> None:
    actors, proposal = early_proposal()
    after = dict(actors.rows)
    actors.tell(proposal)
    assert actors.rows == after


def test_without_a_row_that_remembers_the_answer_it_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgets(turn: Turn, row: Cluster | None, message: Propose) -> None:
        turn.send(Retry(message.proposer, message.number, None))

    monkeypatch.setattr(handshake, "not_here", forgets)
    actors, proposal = early_proposal()
    actors.tell(proposal)
    holders = [one for one in actors.persons() if "email:3" in one]
    assert len(holders) == 2, "one identifier, two persons"


def test_a_proposal_twice_is_one_merge() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 web phone:2")
    actors.hold(Propose).told("t3 web phone:2 user_id:1")
    proposal = actors.held[0]
    actors.let_go().told("t4 unlink phone:2 user_id:1")
    after = dict(actors.rows)
    actors.tell(proposal)
    assert actors.rows == after


def test_an_unlink_of_the_ends_of_a_chain_and_evidence_by_a_longer_way_round() -> None:
    actors = Actors().told("t1 web user_id:a phone:b").told("t2 web phone:b email:c").told("t3 web phone:b email:c")
    actors.told("t4 unlink user_id:a email:c")
    assert actors.persons() == people("user_id:a", "phone:b email:c")
    actors.told("t5 web user_id:a device_id:d").told("t6 web device_id:d email:c")
    assert actors.persons() == people("user_id:a device_id:d", "phone:b email:c")
    assert actors.refused("device_id:d") == {"email:c": "kept_apart"}


@pytest.mark.parametrize("frozen", ["user_id:1", "phone:2"])
def test_an_unlink_waits_while_its_side_is_frozen(frozen: str) -> None:
    other = "phone:2" if frozen == "user_id:1" else "user_id:1"
    actors = Actors().told(f"t1 web {other}").told(f"t2 web {frozen}")
    actors.hold(Accept).told("t3 web user_id:1 phone:2")
    assert actors.cluster(other).state == "live"
    actors.hold(Accept, Apart).told("t4 unlink user_id:1 phone:2").let_go()
    assert actors.persons() == people("user_id:1", "phone:2")
    assert actors.result("r4") == ("done", "")


def test_a_link_older_than_an_erasure_lifts_but_links_nothing() -> None:
    actors = Actors().told("t1 unlink user_id:1 phone:2").told("t2 web user_id:1").told("t3 web phone:2")
    actors.told("t5 erase user_id:1").told("t5 erase phone:2").told("t6 web user_id:1").told("t7 web phone:2")
    actors.told("t4 link user_id:1 phone:2")
    assert actors.persons() == people("user_id:1", "phone:2")
    assert actors.result("r4") == ("refused", "erased")
    actors.told("t8 web user_id:1 phone:2")
    assert actors.persons() == people("user_id:1 phone:2")


def test_limits_that_change_between_a_crash_and_its_replay_change_nothing() -> None:
    """The new guards are a message behind the event, so a replay decides by the old ones again."""
    history = "t1 web user_id:1 device_id:d", "t2 web user_id:2 device_id:d"
    first, again = Actors(Policy()), Actors(Policy())
    for actors in (first, again):
        actors.told(history[0]).told(history[1])
        actors.tell(SetPolicy(0, UNIQUE_USERS, 2))
    assert first.persons() == again.persons() == people("user_id:1 device_id:d user_id:2")
    first.told("t3 web user_id:3 device_id:d")
    assert first.persons() == people("user_id:1 device_id:d user_id:2", "user_id:3")


def test_an_age_ordered_chain_of_a_thousand_in_one_burst_settles() -> None:
    actors = Actors(Policy(cluster_limit=2000))
    for i in range(1000):
        actors.told(f"t{i} web device_id:{i}")
    actors.at_once("\n".join(f"t{1000 + i} web device_id:{i} device_id:{i + 1}" for i in range(999)))
    assert len(actors.persons()) == 1


def test_meeting_ever_older_people_stops_at_the_cluster_limit() -> None:
    actors = Actors(Policy(cluster_limit=10))
    for i in range(30):
        actors.told(f"t{i + 1} web device_id:{i}")
    for i in reversed(range(29)):
        actors.told(f"t{100 - i} web device_id:{i + 1} device_id:{i}")
    assert sorted(len(person) for person in actors.persons()) == [10, 10, 10]


def test_a_crash_between_sending_and_writing_repeats_the_same() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 web phone:2").hold(Propose).told("t3 web phone:2 user_id:1")
    proposal = actors.held[0]
    once, twice = (handle(proposal, actors.rows.get) for _ in range(2))
    assert once == twice


def test_an_erasure_reaches_a_cluster_that_moved_on() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 web phone:2").told("t2 web phone:2 email:3")
    actors.hold(EraseCluster).told("t4 erase email:3")
    actors.holding = ()
    late, actors.held = actors.held, []
    actors.told("t3 web phone:2 user_id:1")
    actors.tell(*late)
    assert actors.persons() == set()


def test_a_refusal_from_before_an_erasure_that_comes_late_links_nothing() -> None:
    actors = Actors().told("t1 web user_id:1").told("t5 erase user_id:1")
    actors.told("t6 web user_id:1 phone:2").told("t7 web phone:2 email:3")
    user, email = sighting("user_id:1").key, sighting("email:3").key
    old = Refusal("limit", Evidence(2000, EventId("e2"), "web", 2000), namespace="user_id")
    before = dict(actors.rows)
    actors.tell(Refuse(actors.uid("user_id:1"), user, email, old), Refuse(actors.uid("email:3"), email, user, old))
    assert actors.rows == before


def test_a_value_too_many_in_one_event_is_refused_whoever_is_asked_first() -> None:
    actors = Actors(UNIQUE_USERS).told("t1 web phone:0").told("t2 web user_id:2").told("t3 web phone:0 user_id:2 user_id:0")
    assert actors.persons() == people("phone:0 user_id:2", "user_id:0")
    assert actors.refused("user_id:0") == {"phone:0": "limit"} == {"phone:0": actors.refused("phone:0")["user_id:0"]}


def test_a_pair_refused_before_an_erasure_is_tried_anew_with_the_new_person() -> None:
    actors = Actors(UNIQUE_USERS).told("t1 web user_id:1 device_id:d").told("t2 web user_id:2 device_id:d")
    assert actors.refused("user_id:2") == {"device_id:d": "limit"}
    actors.told("t5 erase user_id:1")
    assert actors.refused("user_id:2") == {}
    actors.told("t6 web user_id:2 device_id:d")
    assert actors.persons() == people("user_id:2 device_id:d")
