"""Clicks of one device on one element: which count, which only repeat, and that the order of arrival does not show."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.event import Event
from models.ids import IdentifierKey, UnifiedUserId
from models.journey import clicks, handle, sweep
from models.journey.messages import Age, RetentionDue
from models.journey.rows import CLICKS, LATEST
from models.journey_messages import JourneyClosed, JourneyErased, JourneySplit
from tests.models.journey.judge import repetitions_of, true_to_itself
from tests.models.journey.making import made, placed
from tests.models.journey.shelf import Shelf, folded
from tests.models.journey.simulation import HAPPENINGS
from tests.models.journey.world import World

ANN, BOB = UnifiedUserId("u_ann"), UnifiedUserId("u_bob")
PHONE, COOKIE = IdentifierKey("phone"), IdentifierKey("cookie")
GAP = 60_000
NOON = 12 * 3_600_000


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def click(name: str, seconds: float, subject: str = "d1", received: int = 0) -> Event:
    """A click so many seconds after noon."""
    at = NOON + round(seconds * 1_000)
    return made(name, at, name="element_clicked", click=f"{GAP}.{subject}", received=received)


def told(shelf: Shelf, *events: Event, uid: str = ANN) -> list[str]:
    """The ids of the clicks that are reported as repeated while these come."""
    outcomes = shelf.told(*(placed(uid, event) for event in events))
    return [event.event_id for outcome in outcomes for event in outcome.repeated]


def summary(shelf: Shelf, uid: str = ANN) -> object:
    return shelf.known(uid).summary


@pytest.mark.parametrize(
    ("seconds", "counting"),
    [
        ((0, 59.999), (0,)),
        ((0, 60), (0, 60)),
        ((0, 30, 70), (0, 70)),
        ((0, 50, 100, 150), (0, 100)),
        ((0, 0), (0,)),
        ((30, 0), (0,)),
        ((70, 30, 0), (0, 70)),
    ],
)
def test_a_click_counts_a_minute_after_the_last_one_that_does(
    shelf: Shelf, seconds: tuple[float, ...], counting: tuple[float, ...]
) -> None:
    told(shelf, *(click(f"{at:06}-{n}", at) for n, at in enumerate(seconds)))
    assert [event.occurred_at for event in shelf.events(ANN)] == [NOON + at * 1_000 for at in counting]


def test_of_d1_at_0_30_and_70_seconds_and_d2_at_30_one_is_repeated(shelf: Shelf) -> None:
    repeated = told(shelf, click("a", 0), click("b", 30), click("c", 70), click("d", 30, "d2"))
    assert repeated == ["b"]
    assert shelf.ids(ANN) == ["a", "d", "c"]
    assert shelf.repeats(ANN) == {"a": 1}
    assert summary(shelf) == folded(shelf.events(ANN))


def test_a_click_that_comes_twice_is_a_duplicate_and_no_repetition(shelf: Shelf) -> None:
    assert told(shelf, click("a", 0), click("a", 0), click("b", 5), click("b", 5)) == ["b"]
    assert shelf.repeats(ANN) == {"a": 1}


def test_a_retry_whose_clock_was_set_right_is_no_repetition_of_itself(shelf: Shelf) -> None:
    assert told(shelf, click("a", 0, received=1), click("a", 3, received=2)) == []
    assert shelf.repeats(ANN) == {}


def test_an_earlier_delivery_takes_its_verdict_with_it(shelf: Shelf) -> None:
    told(shelf, click("a", 0), click("b", 30, received=9), click("b", 90, received=1))
    assert shelf.ids(ANN) == ["a", "b"]
    assert shelf.repeats(ANN) == {}
    assert summary(shelf) == folded(shelf.events(ANN))


def test_a_late_click_takes_the_place_of_what_counted(shelf: Shelf) -> None:
    assert told(shelf, click("b", 0), click("c", 50), click("d", 100), click("a", -20)) == ["c", "b", "d"]
    assert shelf.ids(ANN) == ["a", "c"]
    assert shelf.repeats(ANN) == {"a": 1, "c": 1}
    assert summary(shelf) == folded(shelf.events(ANN))


def test_other_behaviour_is_no_click_and_has_no_rows_of_clicks(shelf: Shelf) -> None:
    assert told(shelf, made("a", 1), made("b", 2)) == []
    assert shelf.ids(ANN) == ["a", "b"]
    assert not [key for key in shelf.rows if key.startswith((CLICKS, LATEST))]


def test_of_one_person_who_turns_out_to_be_two_each_has_clicks_of_its_own(shelf: Shelf) -> None:
    shelf.told(placed(ANN, click("a", 0), PHONE), placed(ANN, click("b", 30), COOKIE), placed(ANN, click("c", 40), PHONE))
    shelf.told(JourneySplit(ANN, BOB, {PHONE: 1}))
    assert (shelf.ids(ANN), shelf.ids(BOB)) == (["b"], ["a"])
    assert (shelf.repeats(ANN), shelf.repeats(BOB)) == ({}, {"a": 1})


def test_of_clicks_that_leave_together_each_is_missed(shelf: Shelf) -> None:
    anchors = {"a": PHONE, "b": COOKIE, "c": COOKIE, "d": PHONE}
    clicked = {name: click(name, seconds) for name, seconds in {"a": 0, "b": 30, "c": 90, "d": 100}.items()}
    shelf.told(*(placed(ANN, event, anchors[name]) for name, event in clicked.items()))
    assert shelf.repeats(ANN) == {"a": 1, "c": 1}
    shelf.told(JourneySplit(ANN, BOB, {PHONE: 1}))
    assert (shelf.ids(ANN), shelf.repeats(ANN)) == (["b", "c"], {})
    assert (shelf.ids(BOB), shelf.repeats(BOB)) == (["a", "d"], {})


def test_no_click_ages_before_it_is_known_what_counts_after_others_left(shelf: Shelf) -> None:
    for name, seconds, anchor in (("a", 0, COOKIE), ("b", 60, PHONE), ("c", 90, COOKIE)):
        shelf.told(placed(ANN, click(name, seconds), anchor))
    [given] = handle(JourneySplit(ANN, BOB, {PHONE: 1}), shelf).messages
    [under_way] = handle(given, shelf).messages
    [taken] = handle(under_way, shelf).messages
    verdicts = handle(taken, shelf).messages
    limit = NOON + 30_000
    shelf.told(Age(ANN, limit), *verdicts, Age(ANN, limit))
    assert shelf.ids(ANN) == ["c"]
    assert (shelf.known(ANN).summary.events, shelf.known(ANN).aged.events) == (2, 1)


def test_what_moves_as_a_repetition_is_not_reported_again(shelf: Shelf) -> None:
    told(shelf, click("a", 0), click("b", 30))
    outcomes = shelf.told(JourneyClosed(ANN, BOB, {PHONE: 1}))
    assert [event for outcome in outcomes for event in outcome.repeated] == []
    assert shelf.repeats(BOB) == {"a": 1}


def test_of_two_persons_who_turn_out_to_be_one_clicks_are_compared_together(shelf: Shelf) -> None:
    shelf.told(placed(ANN, click("a", 0), PHONE), placed(BOB, click("b", 30), COOKIE))
    outcomes = shelf.told(JourneyClosed(BOB, ANN, {COOKIE: 1}))
    assert [event.event_id for outcome in outcomes for event in outcome.repeated] == ["b"]
    assert (shelf.ids(ANN), shelf.repeats(ANN)) == (["a"], {"a": 1})


def test_an_erased_person_leaves_no_clicks(shelf: Shelf) -> None:
    told(shelf, click("a", 0), click("b", 30), click("c", 90, "d2"))
    shelf.told(JourneyErased(ANN, 0))
    assert not [key for key in shelf.rows if not key.startswith(b"h|")]


def test_repetitions_age_with_what_they_repeat(shelf: Shelf) -> None:
    told(shelf, click("a", 0), click("b", 30), click("c", 100))
    shelf.told(RetentionDue(UnifiedUserId(""), NOON + 10_000))
    assert shelf.ids(ANN) == ["c"]
    assert not [key for key in shelf.rows if b"|b" in key]
    assert summary(shelf) == folded([click("a", 0), click("c", 100)])
    assert told(shelf, click("d", 110)) == ["d"]


def test_when_all_clicks_aged_the_next_one_counts(shelf: Shelf) -> None:
    told(shelf, click("a", 0), click("b", 30))
    shelf.told(RetentionDue(UnifiedUserId(""), NOON + 10_000))
    assert told(shelf, click("c", 45)) == []
    assert shelf.ids(ANN) == ["c"]


def test_more_repetitions_than_are_kept_are_reported_and_forgotten(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clicks, "REPEATS_MAX", 2)
    repeated = told(shelf, *(click(f"{n}", n) for n in range(6)), click("z", -1))
    assert repeated == ["1", "2", "3", "4", "5", "0"]
    assert shelf.repeats(ANN) == {"z": 2}
    assert len(shelf.held(ANN)) == 3


def test_in_order_a_click_needs_no_more_rows_the_more_there_are(shelf: Shelf) -> None:
    costs = []
    for n in range(200):
        before = shelf.touched
        handle(placed(ANN, click(f"{n:03}", n * 7)), shelf)
        costs.append(shelf.touched - before)
    assert max(costs[100:]) <= 15


@settings(max_examples=150, deadline=None)
@given(data=st.data(), step=st.sampled_from([5, 500]))
def test_any_order_of_arrival_gives_the_same_clicks(data: st.DataObject, step: int) -> None:
    seconds = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=25, unique=True))
    events = [click(f"{at:02}", at * 25, data.draw(st.sampled_from(["d1", "d1", "d2"]))) for at in seconds]
    arriving = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))
    shelf = Shelf()
    with pytest.MonkeyPatch.context() as patch:
        # clicks lie 25 s apart, so no more than three of them in front of a place and two behind it decide
        patch.setattr(clicks, "STEP_CLICKS", step)
        repeated = told(shelf, *arriving)
    expected = repetitions_of(events)
    assert shelf.ids(ANN) == sorted(expected)
    assert shelf.repeats(ANN) == {name: len(some) for name, some in expected.items() if some}
    assert {name for some in expected.values() for name in some} <= set(repeated)
    assert summary(shelf) == folded(shelf.events(ANN))


@pytest.mark.parametrize("first", range(0, 30, 10))
def test_while_clicks_age_part_and_move_rows_and_counts_agree_after_every_message(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "STEP_ENTRIES", 2)
    for seed in range(first, first + 10):
        world = World(seed, ageing=True)
        for _ in range(HAPPENINGS):
            world.happen()
            while world.random.random() < 0.7 and world.progress():
                _look(world)
        while world.progress():
            _look(world)


def _look(world: World) -> None:
    while world.changed:
        uid = world.changed.pop()
        true_to_itself(world, uid)
