"""One seed judged, with and without a mutant."""

from tests.simulation.checks import wrong
from tests.simulation.mutants import Mutant
from tests.simulation.world import Setting, simulate

STEPS_MAX = 8000
"""Good runs with a mutant's setting need a tenth of it."""
LONG_STEPS_MAX = 100_000
"""Without cursors and with much of everything, what waits in a frozen cluster multiplies; it does come to rest."""


def verdict(seed: int, setting: Setting, steps_max: int = STEPS_MAX) -> list[str]:
    """What is wrong at rest after one seed; a handler that raises and a run without end are wrong too."""
    try:
        return wrong(simulate(seed, setting, steps_max))
    except RuntimeError:
        return ["no-rest"]
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        return [f"raised-{type(error).__name__}"]


def killed_by(mutant: Mutant, seeds: int) -> tuple[int, list[str]] | None:
    """The first seed that finds the mutant, and how; None when none of so many does."""
    with mutant.applied():
        for seed in range(mutant.first, mutant.first + seeds):
            found = verdict(seed, mutant.setting)
            if found:
                return seed, found
    return None
