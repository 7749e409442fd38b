"""Journeys under merges, splits and erasures, judged after every message; and that the judge notices what is wrong."""

import pytest

from models.journey import sweep
from tests.models.journey.mutants import MUTANTS
from tests.models.journey.simulation import run

SEEDS = 20
SEEDS_MUTANT = range(40)


@pytest.fixture(autouse=True)
def _short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "STEP_ENTRIES", 2)


@pytest.mark.parametrize("first", range(0, SEEDS, 10))
def test_nothing_is_lost_or_hidden_whatever_happens_to_identities(first: int) -> None:
    for seed in range(first, first + 10):
        run(seed)


def test_one_change_at_a_time_never_hides_anything() -> None:
    for seed in range(2000, 2010):
        run(seed, patient=True)


def test_slices_of_an_event_each_are_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "SLICE_BYTES", 1)
    monkeypatch.setattr(sweep, "STEP_ENTRIES", 3)
    for seed in range(1000, 1010):
        run(seed)


def test_steps_in_which_all_that_goes_has_room_are_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "STEP_ENTRIES", 200)
    for seed in (10_004, 10_013):
        run(seed, patient=True)
    for seed in range(10_010, 10_035):
        run(seed)


@pytest.mark.parametrize("name", MUTANTS)
def test_each_rule_is_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, rule, mutant = MUTANTS[name]
    monkeypatch.setattr(module, rule, mutant)
    with pytest.raises(AssertionError):
        _run_all(SEEDS_MUTANT)


def _run_all(seeds: range) -> None:
    for seed in seeds:
        run(seed)
        run(seed, patient=True)
