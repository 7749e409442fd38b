"""One seed judged, with and without a mutant."""

from tests.simulation.checks import wrong
from tests.simulation.mutants import Mutant
from tests.simulation.world import Setting, simulate

STEPS_MAX = 8000
"""Good runs of the settings used here need a tenth of it."""


def verdict(seed: int, setting: Setting) -> list[str]:
    """What is wrong at rest after one seed; a handler that raises and a run without end are wrong too."""
    try:
        return wrong(simulate(seed, setting, STEPS_MAX))
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
