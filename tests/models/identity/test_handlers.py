"""Every message and row: handled, written and read back; twice is once."""

from typing import get_args

import msgspec
import pytest

from models.identity import HANDLERS, handle, messages
from models.identity.custody import DETOURS_MAX
from models.identity.messages import Deliver, IdentityMessage, SetPolicy, address
from models.identity.outcome import Output, Wandering
from models.identity.policy import Policy
from models.identity.rows import Cluster, Node
from models.identity.values import NOTHING
from models.ids import EventId, UnifiedUserId, mint
from tests.models.identity.actors import Actors
from tests.simulation.history import sighting

STORY = """
t1 web user_id:1 phone:2 device_id:3
t2 web user_id:4 device_id:3
t3 web user_id:5 device_id:3
t3 web phone:2
t4 web user_id:6 device_id:3
t5 web user_id:7 device_id:3
t6 unlink user_id:1 phone:2
t7 link user_id:1 phone:2
t8 unlink phone:2 device_id:3
t9 erase user_id:4
t10 erase device_id:3
"""
UNIQUE_USERS = Policy(limits={"user_id": 1})


class Doubled(Actors):
    """Every message comes twice, the second time after a while, over the wire."""

    def __init__(self, policy: Policy) -> None:
        self.said: set[type] = set()
        super().__init__(policy)

    def tell(self, *told: IdentityMessage) -> None:
        """Handle messages, all that comes of them, and once more what was handled."""
        wire, queue, again = msgspec.msgpack.Decoder(IdentityMessage), list(told), []
        for message in queue:
            self.said.add(type(message))
            outcome = handle(message, self.rows.get)
            self.rows.update(outcome.rows)
            self.outputs.extend(outcome.outputs)
            queue.extend(outcome.messages)
            again.append(wire.decode(msgspec.msgpack.encode(message)))
        super().tell(*again)


def test_every_message_twice_is_every_message_once() -> None:
    once, twice = Actors(UNIQUE_USERS).told(STORY), Doubled(UNIQUE_USERS)
    twice.told(STORY)
    assert twice.persons() == once.persons()
    for person in once.persons():
        for name in person:
            assert twice.content(name).links == once.content(name).links
            assert twice.refused(name) == once.refused(name)
            assert twice.content(name).apart == once.content(name).apart
    assert set(HANDLERS) - twice.said == {messages.Retry, messages.Answer, messages.RefuseNode}


def test_rows_and_records_survive_being_written() -> None:
    actors = Actors(UNIQUE_USERS).told(STORY)
    encode = msgspec.msgpack.encode
    for row in actors.rows.values():
        assert msgspec.msgpack.decode(encode(row), type=type(row)) == row
    for record in actors.outputs:
        assert msgspec.msgpack.Decoder(Output).decode(encode(record)) == record


def test_every_message_has_a_handler_and_a_line_in_the_protocols_table() -> None:
    every = set(get_args(IdentityMessage))
    assert set(HANDLERS) == every
    table = [line.split("|")[2].strip() for line in (messages.__doc__ or "").splitlines() if line.startswith("| ")][1:]
    assert sorted(table) == sorted(kind.__name__ for kind in every)


def test_a_message_names_its_row() -> None:
    key = sighting("user_id:1").key
    uid = mint(1, "seed", key)
    assert address(messages.Shared(key, 1)) == f"n|{key}"
    assert address(messages.Confirm(uid, "r", "x")) == f"c|{uid}"
    assert address(SetPolicy(3, Policy(), 1)) == "p|"


def test_an_older_policy_says_nothing_new() -> None:
    actors = Actors(Policy(cluster_limit=5))
    before = dict(actors.rows)
    actors.tell(SetPolicy(0, Policy(cluster_limit=9), 1))
    assert actors.rows == before


def test_an_event_of_counted_pairs_writes_nothing() -> None:
    actors = Actors()
    for i in range(20):
        actors.told(f"t{i} web user_id:1 phone:2")
    before = {key: id(row) for key, row in actors.rows.items()}
    handled = actors.handled
    actors.told("t21 web user_id:1 phone:2")
    assert {key: id(row) for key, row in actors.rows.items()} == before
    assert actors.handled - handled == 2


def test_a_message_that_wanders_is_told_of_and_goes_on() -> None:
    anchor = sighting("user_id:1")
    lost = Deliver(UnifiedUserId("u_nowhere"), anchor, EventId("e"), 1, 1, "web", detours=DETOURS_MAX)
    outcome = handle(lost, lambda key: None)
    assert outcome.outputs == [Wandering(anchor.key, lost.uid, DETOURS_MAX + 1)]
    assert [address(sent) for sent in outcome.messages] == [f"n|{anchor.key}"]


@pytest.mark.parametrize("request_line", ["t1 link user_id:1 user_id:1", "t1 unlink user_id:1 user_id:1"])
def test_one_identifier_is_no_pair(request_line: str) -> None:
    assert Actors().told(request_line).result("r1") == ("refused", "one identifier is no pair")


def test_requests_end_with_what_became_of_them() -> None:
    actors = Actors(Policy(limits={"user_id": 1})).told("t1 web user_id:1").told("t2 web user_id:2")
    actors.told("t3 link user_id:1 user_id:2").told("t5 unlink user_id:1 user_id:2").told("t4 link user_id:1 user_id:2")
    actors.told("t6 erase user_id:1").told("t7 erase user_id:9")
    ends = {name: actors.result(name) for name in ("r3", "r4", "r5", "r6", "r7")}
    done = ("done", "")
    assert ends == {"r3": ("refused", "limit"), "r4": ("superseded", "r5"), "r5": done, "r6": done, "r7": done}


def test_a_link_is_done_when_every_lookup_sees_it() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 web phone:2").hold(messages.Relabel).told("t3 link user_id:1 phone:2")
    assert actors.result("r3") == ("accepted", "")
    actors.let_go()
    assert actors.result("r3") == ("done", "")
    assert actors.uid("phone:2") == actors.uid("user_id:1")


def test_unlinks_of_one_identifier_are_bounded() -> None:
    actors = Actors(Policy(unlinks_max=1))
    home, *others = sorted((f"user_id:{i}" for i in range(3)), key=lambda name: sighting(name).key)
    actors.told(f"t1 unlink {home} {others[0]}").told(f"t2 unlink {home} {others[1]}")
    assert actors.result("r2")[0] == "refused"


def test_rows_of_the_absorbed_and_the_erased_hold_nothing() -> None:
    actors = Actors().told("t1 web user_id:1").told("t2 web phone:2").told("t3 web phone:2 user_id:1").told("t4 erase phone:2")
    for row in actors.rows.values():
        assert not isinstance(row, Cluster) or row.content == NOTHING
        assert not isinstance(row, Node) or (row.uid, row.history, row.linked) == (None, (), {})
