"""What a journey does with each thing it hears."""

import pytest

from models.ids import IdentifierKey, UnifiedUserId
from models.journey import handle, sweep
from models.journey.messages import JourneyMessage, Parted, Slice, SliceTaken, SweepOn, parted
from models.journey.outcome import StageEntered
from models.journey.rows import Header, header_key
from models.journey.summary import Place
from models.journey_messages import JourneyClosed, JourneyErased, JourneySplit, Moved
from tests.models.journey.making import carried, made, placed
from tests.models.journey.shelf import Shelf, folded

ANN, BOB, EVE = UnifiedUserId("u_ann"), UnifiedUserId("u_bob"), UnifiedUserId("u_eve")
PHONE, COOKIE = IdentifierKey("phone"), IdentifierKey("cookie")


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_a_late_event_stands_where_it_happened(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("order", 20)), placed(ANN, made("view", 10)))
    assert shelf.ids(ANN) == ["view", "order"]


def test_events_of_the_same_moment_stand_in_the_order_of_their_ids(shelf: Shelf) -> None:
    shelf.told(*(placed(ANN, made(name, 5)) for name in ("b", "a|b", "加购", "a", "🛒")))
    assert shelf.ids(ANN) == ["a", "a|b", "b", "加购", "🛒"]


def test_a_retry_with_a_corrected_clock_is_the_same_event(shelf: Shelf) -> None:
    [_, again] = shelf.told(placed(ANN, made("e", 50, received=60)), placed(ANN, made("e", 49, received=70)))
    assert [event.occurred_at for event in shelf.events(ANN)] == [50]
    assert again.messages == []


def test_a_journey_says_which_events_it_had_already(shelf: Shelf) -> None:
    again = made("e", 49, received=70, channel="app")
    outcomes = shelf.told(placed(ANN, made("e", 50)), placed(ANN, again), placed(BOB, again))
    assert [[event.channel for event in outcome.known] for outcome in outcomes] == [[], ["app"], []]


def test_the_first_delivery_stands_even_if_it_comes_here_after_its_retry(shelf: Shelf) -> None:
    first, retry = made("e", 50, received=60, channel="web"), made("e", 49, received=70, channel="app", stage="order")
    shelf.told(placed(ANN, retry), placed(ANN, first))
    assert shelf.events(ANN) == [first]
    assert shelf.known(ANN).summary == folded([first])


def test_a_delivery_of_the_same_moment_may_stand_instead_of_another(shelf: Shelf) -> None:
    first, retry = made("e", 50, received=60, name="a"), made("e", 50, received=70, name="b")
    shelf.told(placed(ANN, retry), placed(ANN, first))
    assert shelf.events(ANN) == [first]
    assert shelf.known(ANN).summary.names == {"a": 1}


def test_an_earlier_time_of_a_stage_is_told(shelf: Shelf) -> None:
    def entered(*given: JourneyMessage) -> list[StageEntered]:
        return [one for out in shelf.told(*given) for one in out.entered]

    assert entered(placed(ANN, made("b", 20, stage="order"))) == [StageEntered(ANN, "order", 20, made("b", 20).event_id)]
    assert entered(placed(ANN, made("c", 30, stage="order"))) == []
    assert entered(placed(ANN, made("a", 10, stage="order"))) == [StageEntered(ANN, "order", 10, made("a", 10).event_id)]


def test_a_stage_is_told_again_when_its_first_event_left(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("a", 10, stage="order"), PHONE), placed(ANN, made("b", 20, stage="order"), COOKIE))
    outcomes = shelf.told(JourneySplit(ANN, BOB, {PHONE: 1}))
    told = {(one.uid, one.entered_at) for out in outcomes for one in out.entered}
    assert told == {(ANN, 20), (BOB, 10)}


def test_the_absorbed_journey_gives_all_and_sends_stragglers_after(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("a", 1)), placed(BOB, made("b", 2)), JourneyClosed(BOB, ANN, {PHONE: 1}))
    shelf.told(placed(BOB, made("c", 3)))
    assert shelf.ids(ANN) == ["a", "b", "c"]
    assert shelf.ids(BOB) == []
    assert shelf.known(ANN).done == (BOB,)
    assert shelf.known(ANN).summary == folded(shelf.events(ANN))


def test_a_short_journey_is_handed_over_in_four_messages(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("a", 1)), placed(BOB, made("b", 2)))
    [given] = handle(JourneyClosed(BOB, ANN, {PHONE: 1}), shelf).messages
    [taken] = handle(given, shelf).messages
    [last] = handle(taken, shelf).messages
    assert isinstance(last, Slice)
    assert last.last
    assert handle(last, shelf).messages == []
    assert (shelf.ids(ANN), shelf.ids(BOB)) == (["a", "b"], [])


def test_of_one_event_in_two_journeys_the_earliest_delivery_is_left(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("e", 9, received=20)), placed(BOB, made("e", 8, received=10)))
    shelf.told(JourneyClosed(BOB, ANN, {PHONE: 1}))
    assert shelf.events(ANN) == [made("e", 8, received=10)]
    assert shelf.known(ANN).summary == folded(shelf.events(ANN))


def test_a_split_takes_exactly_the_events_anchored_on_the_parted(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("a", 1), PHONE), placed(ANN, made("b", 2), COOKIE), placed(ANN, made("c", 3), PHONE))
    shelf.told(JourneySplit(ANN, BOB, {PHONE: 1}), placed(ANN, made("d", 4), PHONE))
    assert (shelf.ids(ANN), shelf.ids(BOB)) == (["b"], ["a", "c", "d"])


def test_who_comes_back_after_a_split_brings_the_events_back(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("a", 1), PHONE), JourneySplit(ANN, BOB, {PHONE: 1}))
    shelf.told(JourneyClosed(BOB, ANN, {PHONE: 2}), placed(ANN, made("b", 2), PHONE))
    assert shelf.ids(ANN) == ["a", "b"]
    assert shelf.known(ANN).moved == {PHONE: Moved(None, 2)}


def test_a_header_of_an_earlier_program_that_sends_events_to_itself_keeps_them(shelf: Shelf) -> None:
    shelf.put(header_key(ANN), Header(moved={PHONE: Moved(ANN, 7)}))
    outcome = handle(placed(ANN, made("a", 1), PHONE, 5), shelf)
    assert (shelf.ids(ANN), outcome.messages) == (["a"], [])
    assert shelf.known(ANN).moved == {PHONE: Moved(None, 7)}


def test_news_of_custody_that_come_by_a_slice_first_move_what_lies_here(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("a", 1), PHONE))
    told = Slice(ANN, BOB, "", (), {COOKIE: 1}, {PHONE: Moved(EVE, 5)}, last=True)
    shelf.told(told, JourneySplit(ANN, BOB, {PHONE: 3}))
    assert (shelf.ids(ANN), shelf.ids(EVE)) == ([], ["a"])


def test_what_comes_back_during_the_sweep_that_gives_it_away_stays_and_counts(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("a", 1), PHONE))
    [sweep_on] = handle(JourneySplit(ANN, BOB, {PHONE: 1}), shelf).messages
    [under_way] = handle(sweep_on, shelf).messages
    shelf.told(Slice(ANN, BOB, "", (), {PHONE: 2}, last=True))
    shelf.told(under_way)
    assert shelf.ids(ANN) == ["a"]
    assert shelf.known(ANN).summary == folded(shelf.events(ANN))


def test_an_event_that_has_to_go_on_is_shown_here_until_it_arrived(shelf: Shelf) -> None:
    shelf.told(JourneySplit(ANN, BOB, {PHONE: 1}))
    [sweep_on, answer] = handle(Slice(ANN, EVE, "part", (carried(made("a", 1), PHONE),), {}), shelf).messages
    assert shelf.ids(ANN) == ["a"]
    assert answer == SliceTaken(EVE, "part")
    shelf.told(sweep_on)
    assert (shelf.ids(ANN), shelf.ids(BOB)) == ([], ["a"])


def test_erasure_leaves_the_fact_alone_and_what_parted_before(shelf: Shelf) -> None:
    shelf.told(placed(ANN, made("a", 1), PHONE), placed(ANN, made("b", 2), COOKIE))
    [before] = handle(JourneySplit(ANN, BOB, {PHONE: 1}), shelf).messages
    shelf.told(JourneyErased(ANN, 0), before, placed(ANN, made("c", 3), COOKIE), placed(ANN, made("d", 4), PHONE))
    assert (shelf.ids(ANN), shelf.ids(BOB)) == ([], ["a", "d"])
    assert shelf.known(ANN) == Header("erased", moved={PHONE: Moved(BOB, 1)}, sweeps=2)
    assert not [key for key in shelf.rows if key.startswith((b"t|" + ANN.encode(), b"e|" + ANN.encode()))]


def test_erasure_during_a_hand_over_takes_what_still_comes(shelf: Shelf) -> None:
    shelf.told(placed(BOB, made("b", 2)))
    [under_way] = handle(JourneyClosed(BOB, ANN, {PHONE: 1}), shelf).messages
    shelf.told(JourneyErased(ANN, 0), under_way)
    assert (shelf.ids(ANN), shelf.ids(BOB)) == ([], [])


def test_a_fragment_hears_that_all_is_there_even_if_it_was_absorbed_meanwhile(shelf: Shelf) -> None:
    [sweep_on] = handle(JourneySplit(ANN, BOB, {PHONE: 1}), shelf).messages
    shelf.told(JourneyClosed(BOB, EVE, {PHONE: 2}), Slice(ANN, EVE, "", (), {}, {PHONE: Moved(None, 3)}, last=True), sweep_on)
    assert shelf.known(EVE).done == (parted(BOB), BOB)


def test_a_split_that_is_known_already_is_answered_at_once(shelf: Shelf) -> None:
    shelf.told(Slice(ANN, EVE, "", (), {}, {PHONE: Moved(BOB, 3)}, last=True), JourneySplit(ANN, BOB, {PHONE: 3}))
    assert shelf.known(BOB).done == (parted(BOB),)


def test_what_had_parted_from_the_absorbed_is_not_erased_with_the_survivor(shelf: Shelf) -> None:
    shelf.told(JourneySplit(BOB, EVE, {PHONE: 3}), JourneyErased(ANN, 0))
    [last] = handle(JourneyClosed(BOB, ANN, {COOKIE: 1}), shelf).messages
    late = Slice(BOB, UnifiedUserId("u_dan"), "part", (carried(made("a", 1), PHONE),), {PHONE: 2})
    shelf.told(late, placed(BOB, made("b", 2), PHONE), last)
    assert shelf.ids(EVE) == ["a", "b"]


@pytest.mark.parametrize(
    "message",
    [
        placed(ANN, made("a", 1)),
        JourneyClosed(ANN, BOB, {PHONE: 1}),
        JourneySplit(ANN, BOB, {PHONE: 1}),
        JourneyErased(ANN, 0),
        Slice(ANN, BOB, "1/x/0", (carried(made("z", 1)),), {PHONE: 1}),
        Slice(ANN, BOB, "", (), {PHONE: 1}, last=True),
        SliceTaken(ANN, "1/x/0"),
        SweepOn(ANN, 1),
        Parted(ANN, BOB),
    ],
    ids=lambda message: type(message).__name__,
)
def test_the_same_message_again_changes_nothing(shelf: Shelf, message: JourneyMessage) -> None:
    shelf.told(placed(ANN, made("a", 1)), placed(ANN, made("b", 2)), message)
    before = dict(shelf.rows)
    shelf.told(message)
    assert shelf.rows == before


def test_a_message_to_nobody_makes_nobody(shelf: Shelf) -> None:
    shelf.told(SliceTaken(ANN, "1/x/0"), SweepOn(ANN, 1))
    assert shelf.rows == {}


def test_steps_are_small_enough_for_what_a_stage_may_send() -> None:
    assert sweep.STEP_ENTRIES * 32_768 < 64 * 1024 * 1024


def test_a_place_is_known_by_time_then_id() -> None:
    assert Place(1, made("b", 1).event_id) < Place(2, made("a", 1).event_id)
