"""The protocol under faults: nothing is ever wrong, and each rule is needed."""

from collections import Counter
from dataclasses import replace
from itertools import chain

import pytest

from tests.simulation.__main__ import main
from tests.simulation.checks import wrong
from tests.simulation.judge import killed_by, verdict
from tests.simulation.mutants import MUTANTS, NOT_NEEDED
from tests.simulation.partition import Rules
from tests.simulation.world import drawn_setting, simulate

SEEDS = 500
CHUNKS = 5
MUTANT_SEEDS = 150


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_is_wrong_at_rest_whatever_happened(chunk: int) -> None:
    found = {seed: wrong(simulate(seed, drawn_setting(seed))) for seed in range(chunk, SEEDS, CHUNKS)}
    assert {seed: names for seed, names in found.items() if names} == {}


def test_the_faults_do_happen() -> None:
    happened: Counter[str] = Counter()
    for seed in range(20):
        happened.update(simulate(seed, drawn_setting(seed)).runtime.stats)
    assert min(happened[fault] for fault in ("crashes", "duplicates", "stalled", "torn", "fenced", "reappended")) > 0


@pytest.mark.parametrize("name", MUTANTS)
def test_without_the_rule_something_goes_wrong(name: str) -> None:
    mutant = MUTANTS[name]
    killed = killed_by(mutant, MUTANT_SEEDS)
    assert killed is not None, f"no seed from {mutant.first} on finds it"
    assert verdict(killed[0], replace(mutant.setting, rules=Rules())) == [], "the seed is wrong with the rule, too"


@pytest.mark.parametrize("name", NOT_NEEDED)
def test_what_the_runtime_has_for_other_reasons_is_not_needed(name: str) -> None:
    variant = NOT_NEEDED[name]
    assert list(chain.from_iterable(verdict(seed, variant.setting) for seed in range(15))) == []


def test_the_command_prints_its_seed_first_and_a_replay_of_what_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "5", "--seeds", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "seed 5"
    assert main(["--mutant", "nothing waits", "--seeds", "3"]) == 0
    assert 'replay: python -m tests.simulation --seed 0 --mutant "nothing waits"' in capsys.readouterr().out
