"""A check finds each kind of fault in what workers hold, names it, and finds nothing where there is none."""

import pytest
from msgspec.structs import replace

from app.check import components, limits
from app.check.readers import Readers
from app.check.report import Difference
from app.check.rules import RULES
from app.reading import IMPORT
from app.runtime.packs import sequence
from models.identity.rows import Request
from models.identity.values import Content, Evidence, Proof, pair
from models.ids import EventId, UnifiedUserId
from models.journey.rows import Entry, entry_key
from models.journey_messages import EventPlaced
from models.notation import read
from tables.journey import event_of
from tests.app.check.world import HISTORY, OUTPUTS, Tamper, World
from tests.scenarios.suite import BEGIN_MS

NOT_JSON = b"{"
CLICK = (
    b'{"event_id":"c%d","event":"element_clicked","occurred_at":%d,"identifiers":{"user_id":"7"},"properties":{"element":"#a"}}'
)
OLD = b'{"event_id":"o","event":"order_paid","occurred_at":"2019-01-01T00:00:00Z","identifiers":{"user_id":"77"}}'


@pytest.fixture
def world() -> World:
    made = World.of(HISTORY)
    made.write("t.behaviour.web", NOT_JSON)
    for second in (0, 30, 70):
        made.write("t.behaviour.web", CLICK % (second, BEGIN_MS + second * 1_000))
    made.write("t.behaviour.web", OLD, IMPORT)
    return made


def test_nothing_differs_where_workers_did_as_told(world: World) -> None:
    assert world.suspects() == []


@pytest.mark.parametrize("number", range(5))
def test_nor_in_any_part_of_the_history(number: int) -> None:
    lines = HISTORY.strip().splitlines()
    assert World.of("\n".join(lines[number:] if number % 2 else lines[: -number or None])).suspects() == []


def lose_an_event(world: World) -> None:
    del world.journeys.rows[world.entry("user_id:7", "e2")[0]]


def misplace_an_event(world: World) -> None:
    key, entry = world.entry("user_id:7", "e2")
    del world.journeys.rows[key]
    _put(world, "user_id:9", 2, entry)


def double_an_event(world: World) -> None:
    _put(world, "user_id:7", 77, world.entry("user_id:7", "e2")[1])


def give_an_event_to_two(world: World) -> None:
    _put(world, "user_id:9", 2, world.entry("user_id:7", "e2")[1])


def invent_an_event(world: World) -> None:
    key, entry = world.entry("user_id:7", "e2")
    del world.journeys.rows[key]
    world.journeys.put(key + b"0", entry)


def change_an_event(world: World) -> None:
    key, entry = world.entry("user_id:7", "e2")
    world.journeys.rows[key] = replace(entry, body=entry.body.replace(b"/faq", b"/fax"))


def date_an_event_anew(world: World) -> None:
    key, entry = world.entry("user_id:7", "e2")
    del world.journeys.rows[key]
    _put(world, "user_id:7", 999, entry)


def count_wrong(world: World) -> None:
    header = world.header("user_id:7")
    world.put_header("user_id:7", replace(header, summary=replace(header.summary, events=4)))


def count_a_repetition(world: World) -> None:
    key, entry = world.entry("user_id:7", "c30")
    header = world.header("user_id:7")
    world.journeys.rows[key] = replace(entry, repeats=0)
    world.put_header("user_id:7", replace(header, summary=replace(header.summary, events=header.summary.events + 1)))


def lose_a_node(world: World) -> None:
    world.rows.pop(f"n|{world.key('anonymous_id:a')}")


def lose_a_node_without_events(world: World) -> None:
    world.rows.pop(f"n|{world.key('device_id:tablet')}")


def invent_a_node(world: World) -> None:
    row = world.node("phone:13800138000")
    since = replace(row.history[0], since=1 << 43)
    world.put_node("phone:13900139000", replace(row, history=(since,)))


def give_a_member_to_two(world: World) -> None:
    ours, theirs = (world.cluster(name).content.members for name in ("user_id:7", "phone:13800138000"))
    _content(world, "user_id:7", members=ours | theirs)


def take_a_node_from_its_person(world: World) -> None:
    world.put_node("anonymous_id:a", replace(world.node("anonymous_id:a"), uid=world.uid("user_id:9")))


def lose_a_member(world: World) -> None:
    _content(
        world, "user_id:7", members={world.key("user_id:7"): world.cluster("user_id:7").content.members[world.key("user_id:7")]}
    )


def lose_a_link(world: World) -> None:
    _content(world, "user_id:7", links={})


def invent_a_link(world: World) -> None:
    invented = pair(world.key("user_id:7"), world.key("user_id:9"))
    evidence = Evidence(1, EventId("e0"), "web", 1 << 43)
    _content(world, "user_id:7", links=world.cluster("user_id:7").content.links | {invented: Proof((evidence,))})


def forget_a_refusal(world: World) -> None:
    for name in ("user_id:8", "user_id:9"):
        _content(world, name, refused={})
    world.written = [one for one in world.written if one.topic != "t.identity.merges"]


def join_without_a_link(world: World) -> None:
    """Two persons become one, rows, journeys and all; nothing but the link is missing."""
    theirs, ours = world.cluster("user_id:10").content, world.cluster("user_id:7").content
    uid = world.uid("user_id:7")
    moved = [(key, entry) for key, entry in world.journeys.entries(world.uid("user_id:10"))]
    for key, entry in moved:
        del world.journeys.rows[key]
        world.journeys.put(key.replace(world.uid("user_id:10").encode(), uid.encode()), entry)
    world.put_cluster("user_id:10", replace(world.cluster("user_id:10"), state="merged", into=uid, content=Content()))
    _content(world, "user_id:7", members=ours.members | theirs.members, links=ours.links | theirs.links)
    world.put_node("user_id:10", replace(world.node("user_id:10"), uid=uid))


def forget_an_unlink(world: World) -> None:
    world.tell(read("t20 link user_id:10 anonymous_id:b")[0])
    world.written = [one for one in world.written if b'"r20"' not in (one.value or b"")]


def bring_back_who_was_erased(world: World) -> None:
    before = World.of(HISTORY.split("t10")[0])
    uid = before.uid("user_id:11")
    world.rows |= {at: row for at, row in before.rows.items() if at in (f"n|{before.key('user_id:11')}", f"c|{uid}")}
    for key, entry in before.journeys.entries(uid):
        world.journeys.put(key, entry)


def keep_an_event_of_who_was_erased(world: World) -> None:
    before = World.of(HISTORY.split("t10")[0])
    for key, entry in before.journeys.entries(before.uid("user_id:11")):
        world.journeys.put(key, entry)


def exceed_a_limit(world: World) -> None:
    _content(world, "user_id:7", members=world.cluster("user_id:7").content.members | world.cluster("user_id:9").content.members)


def erase_unasked(world: World) -> None:
    world.put_node("anonymous_id:a", replace(world.node("anonymous_id:a"), erased_at=1 << 40))


def leave_a_request(world: World) -> None:
    world.rows["r|r8"] = Request("accepted")


def lose_a_survivor(world: World) -> None:
    absorbed = next(iter(world.cluster("user_id:7").content.absorbed))
    row = world.rows[f"c|{absorbed}"]
    world.rows[f"c|{absorbed}"] = replace(row, into=UnifiedUserId("u_nobody"))


def leave_a_merge(world: World) -> None:
    world.put_cluster("user_id:9", replace(world.cluster("user_id:9"), state="frozen"))


def lose_a_rejected_record(world: World) -> None:
    world.written = [one for one in world.written if one.topic != "t.behaviour.rejected"]


FAULTS: dict[Tamper, str] = {
    lose_an_event: "an event is in the journey of whoever has its anchor",
    misplace_an_event: "an event is in the journey of whoever has its anchor",
    double_an_event: "an event stands once in a journey",
    give_an_event_to_two: "an event that stands in a journey was told, and stands with whoever has its anchor",
    invent_an_event: "an event that stands in a journey was told, and stands with whoever has its anchor",
    keep_an_event_of_who_was_erased: "an event that stands in a journey was told, and stands with whoever has its anchor",
    change_an_event: "an event stands as it was told",
    date_an_event_anew: "an event stands as it was told",
    count_wrong: "a journey counts what it lists, and what it lists no more",
    count_a_repetition: "a click counts unless it repeats another",
    lose_a_node: "an event whose anchor is nobody's is rejected",
    lose_a_node_without_events: "an identifier that an event showed is somebody's",
    invent_a_node: "an identifier that somebody has was shown",
    take_a_node_from_its_person: "linked identifiers are one person",
    lose_a_member: "an identifier and its person agree",
    give_a_member_to_two: "a member knows its person",
    lose_a_link: "a pair that was shown together is linked or refused",
    forget_a_refusal: "a pair that was shown together is linked or refused",
    invent_a_link: "a link was shown by an event, or asked for",
    join_without_a_link: "the members of a person are connected by links",
    exceed_a_limit: "nobody has more identifiers than the guards allow",
    forget_an_unlink: "a pair that an operator parted is not one person",
    bring_back_who_was_erased: "who was erased is forgotten",
    erase_unasked: "only an erasure forgets",
    leave_a_request: "a request has an end",
    lose_a_survivor: "an absorbed person leads to a survivor",
    leave_a_merge: "a merge comes to an end",
    lose_a_rejected_record: "what is no event is rejected, with its reason",
}
OF_EARLIER_RULES = "an event that earlier rules read left a trace"


@pytest.mark.parametrize("tamper", FAULTS, ids=lambda tamper: tamper.__name__)
def test_a_fault_is_found(world: World, tamper: Tamper) -> None:
    tamper(world)
    assert FAULTS[tamper] in {one.rule for one in world.suspects()}


def test_every_rule_is_broken_by_some_fault() -> None:
    assert {components.NAME, limits.NAME, *(rule.name for rule in RULES)} == {*FAULTS.values(), OF_EARLIER_RULES}


def test_a_difference_is_told_in_words_the_smallest_first(world: World) -> None:
    lose_an_event(world)
    leave_a_request(world)
    first, second, *_ = world.differences()
    assert first == Difference("anonymous_id:b", None, "the unlink r8 done, refused or superseded", "accepted")
    assert second == Difference("anonymous_id:a", "e2", f"in the journey of {world.uid('user_id:7')}", "nowhere")


def test_an_event_that_was_rejected_as_too_old_is_not_missed(world: World) -> None:
    key, entry = world.entry("user_id:7", "e2")
    del world.journeys.rows[key]
    header = world.header("user_id:7")
    world.put_header("user_id:7", replace(header, summary=replace(header.summary, events=4)))
    late = EventPlaced(world.uid("user_id:7"), entry.anchor, EventId("e2"), 0, 0, entry.body)
    world.say(OUTPUTS.late(late))
    assert world.suspects() == []


def test_events_that_left_the_timeline_are_counted_and_not_missed(world: World) -> None:
    key, _ = world.entry("user_id:7", "e1")
    del world.journeys.rows[key]
    header = world.header("user_id:7")
    aged = replace(header, aged=replace(header.aged, events=1), listed_since=BEGIN_MS + 2_000)
    world.put_header("user_id:7", aged)
    assert world.suspects() == []
    world.put_header("user_id:7", replace(aged, listed_since=BEGIN_MS))
    assert {one.event_id for one in world.suspects()} == {"e1"}


def test_what_retention_removed_is_not_compared(world: World) -> None:
    last = max(one.timestamp for one in world.written)
    world.written = [one for one in world.written if "behaviour" not in one.topic]
    assert world.suspects() != []
    assert world.suspects(forgotten_until=last) == []


def test_of_what_earlier_rules_read_a_trace_is_enough(world: World) -> None:
    readers = Readers([("id/0/elderone", sequence(1_000, 0, 0))], {"t.behaviour.web": "id"}, "todayone")
    change_an_event(world)
    assert world.suspects(readers) == []
    lose_an_event(world)
    count_wrong(world)
    assert OF_EARLIER_RULES in {one.rule for one in world.suspects(readers)}


def _put(world: World, name: str, at_seconds: int, entry: Entry) -> None:
    """An entry in somebody's journey, at a time."""
    key = entry_key(world.uid(name), BEGIN_MS + 1_000 * at_seconds, event_of(entry).event_id)
    world.journeys.put(key, entry)


def _content(world: World, name: str, **changed: object) -> None:
    cluster = world.cluster(name)
    world.put_cluster(name, replace(cluster, content=replace(cluster.content, **changed)))
