"""Events that occurred too long ago leave the timeline; what they taught stays, whatever happens to identities."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.event import Event
from models.ids import IdentifierKey, UnifiedUserId
from models.journey import ageing, handle, sweep
from models.journey.messages import Age, RetentionDue, Slice
from models.journey.rows import TIMELINES, Header
from models.journey_messages import JourneyClosed, JourneyErased, JourneySplit
from models.timeline import place_of
from tests.models.journey.ageing import MUTANTS
from tests.models.journey.making import carried, made, placed
from tests.models.journey.shelf import Shelf, folded
from tests.models.journey.simulation import run
from tests.models.journey.test_laws import distinct

ANN, BOB, EVE = UnifiedUserId("u_ann"), UnifiedUserId("u_bob"), UnifiedUserId("u_eve")
PHONE, COOKIE = IdentifierKey("phone"), IdentifierKey("cookie")
OLD, NEW = made("old", 10, traits={"city": "佛山"}, stage="visit"), made("new", 90, channel="app")
SEEDS = 40
RARE = 1635
"""The first of some thousand seeds in which somebody comes back while what was handed over grows old."""


@pytest.fixture
def shelf() -> Shelf:
    """Ann did something long ago and something lately."""
    shelf = Shelf()
    shelf.told(placed(ANN, OLD, COOKIE), placed(ANN, NEW, PHONE))
    return shelf


def due(before: int) -> RetentionDue:
    """The timer."""
    return RetentionDue(UnifiedUserId(""), before)


def test_what_is_old_is_listed_no_more_and_still_counts(shelf: Shelf) -> None:
    shelf.told(due(50))
    assert shelf.ids(ANN) == ["new"]
    assert shelf.known(ANN).summary == folded([OLD, NEW])
    assert shelf.known(ANN).listed_since == 50
    assert not [key for key in shelf.rows if b"old" in key]


def test_a_journey_without_old_events_stays_as_it_is(shelf: Shelf) -> None:
    before = shelf.known(ANN)
    shelf.told(due(10))
    assert shelf.known(ANN) == before


def test_the_same_timer_again_changes_nothing(shelf: Shelf) -> None:
    shelf.told(due(50))
    before = dict(shelf.rows)
    shelf.told(due(50), due(40), Age(ANN, 50))
    assert shelf.rows == before


def test_totals_survive_a_refold(shelf: Shelf) -> None:
    shelf.told(due(50))
    shelf.told(JourneySplit(ANN, BOB, {PHONE: 1}))
    assert shelf.known(ANN).summary == folded([OLD])
    assert shelf.known(BOB).summary == folded([NEW])


def test_who_leaves_takes_only_what_is_still_listed(shelf: Shelf) -> None:
    shelf.told(due(50))
    shelf.told(JourneySplit(ANN, BOB, {COOKIE: 1}))
    assert shelf.known(ANN).summary == folded([OLD, NEW])
    assert shelf.ids(BOB) == []


def test_the_survivor_takes_over_the_totals_and_the_later_limit(shelf: Shelf) -> None:
    shelf.told(placed(BOB, made("older", 5)), due(50), due(60), placed(BOB, made("b", 70)))
    outcomes = shelf.told(JourneyClosed(ANN, BOB, {PHONE: 1, COOKIE: 1}))
    header = shelf.known(BOB)
    assert header.summary == folded([OLD, NEW, made("older", 5), made("b", 70)])
    assert (header.aged, header.listed_since) == (folded([OLD, made("older", 5)]), 50)
    assert [(one.stage, one.entered_at) for out in outcomes for one in out.entered] == [("visit", 10)]
    assert shelf.known(ANN) == Header("moved", into=BOB, versions={PHONE: 1, COOKIE: 1}, sweeps=1)


def test_what_comes_from_before_the_limit_is_reported_and_nowhere_counted(shelf: Shelf) -> None:
    shelf.told(due(50))
    for late in (OLD, made("never seen", 49)):
        for uid in (ANN, EVE):
            [outcome] = shelf.told(placed(uid, late))
            assert [one.event_id for one in outcome.late] == [late.event_id]
    assert shelf.known(ANN).summary == folded([OLD, NEW])
    assert shelf.header(EVE) is None


def test_what_is_handed_over_is_taken_whatever_its_age_and_rests_until_the_second_timer(shelf: Shelf) -> None:
    shelf.told(due(50))
    shelf.told(Slice(ANN, BOB, "1/x/0", (carried(made("given", 20), PHONE),), {}))
    shelf.told(due(60))
    assert shelf.ids(ANN) == ["given", "new"]
    shelf.told(due(60), due(61))
    assert shelf.ids(ANN) == ["new"]
    assert shelf.known(ANN).summary == folded([OLD, NEW, made("given", 20)])


def test_erasure_takes_the_totals_too(shelf: Shelf) -> None:
    shelf.told(due(50))
    shelf.told(JourneyErased(ANN, 0))
    assert shelf.known(ANN) == Header("erased", sweeps=1)


def test_a_partition_ages_in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ageing, "STEP_JOURNEYS", 3)
    monkeypatch.setattr(ageing, "STEP_ENTRIES", 2)
    shelf = Shelf()
    for person in range(10):
        shelf.told(*(placed(f"u_{person}", made(f"e{n}", n)) for n in range(person)))
    waiting = list(handle(due(5), shelf).messages)
    while waiting:
        shelf.touched = 0
        waiting += handle(waiting.pop(0), shelf).messages
        assert shelf.touched <= 12
    left = [key for key in shelf.rows if key.startswith(TIMELINES)]
    assert len(left) == sum(max(0, person - 5) for person in range(10))


@settings(max_examples=50)
@given(events=distinct(), limits=st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_whatever_timers_come_totals_are_of_all_and_listed_is_what_is_young(events: list[Event], limits: list[int]) -> None:
    shelf = Shelf()
    shelf.told(*(placed(ANN, event) for event in events))
    for limit in limits:
        shelf.told(due(limit))
    header, limit = shelf.known(ANN), max(limits)
    assert shelf.events(ANN) == sorted((e for e in events if e.occurred_at >= limit), key=place_of)
    assert header.summary == folded(events)
    assert header.aged == folded([e for e in events if e.occurred_at < limit])


@pytest.mark.parametrize("patient", [False, True])
def test_everything_counts_once_while_identities_change(patient: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    _short_steps(monkeypatch)
    for seed in range(SEEDS):
        run(seed, patient=patient, ageing=True)


@pytest.mark.parametrize("name", MUTANTS)
def test_each_rule_is_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _short_steps(monkeypatch)
    module, rule, mutant = MUTANTS[name]
    monkeypatch.setattr(module, rule, mutant)
    with pytest.raises(AssertionError):
        _run_all()


def _run_all() -> None:
    for seed in (RARE, *range(SEEDS)):
        run(seed, ageing=True)


def _short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((sweep, "STEP_ENTRIES"), (ageing, "STEP_ENTRIES"), (ageing, "STEP_JOURNEYS")):
        monkeypatch.setattr(module, name, 2)
