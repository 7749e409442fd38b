"""`python -m tests.simulation`: many seeds, one seed again, or one mutant.

The first line is the seed it starts from; a failing seed is printed with the command that replays it.
"""

import argparse
import random
import sys
import time

from tests.simulation.judge import LONG_STEPS_MAX, verdict
from tests.simulation.mutants import MUTANTS, NOT_NEEDED
from tests.simulation.world import drawn_setting

PROGRESS_SECONDS = 5.0
EVERY = MUTANTS | NOT_NEEDED


def main(arguments: list[str]) -> int:
    """0 when every seed is right; with a mutant, when one seed finds it."""
    options = _options(arguments)
    first = options.seed if options.seed is not None else 0 if options.mutant else random.randrange(1 << 32)
    seeds = options.seeds if options.seeds is not None else 1 if options.seed is not None else 500
    print(f"seed {first}", flush=True)
    if options.mutant is None:
        return 1 if _run(first, seeds, None) else 0
    mutant = EVERY[options.mutant]
    with mutant.applied():
        return 0 if _run(first, seeds, options.mutant) else 1


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed; alone: this one only")
    parser.add_argument("--seeds", type=int, help="how many seeds (default 500)")
    parser.add_argument("--mutant", choices=sorted(EVERY), help="a rule to remove")
    return parser.parse_args(arguments)


def _run(first: int, seeds: int, mutant: str | None) -> int:
    """How many of the seeds are wrong."""
    started = told = time.monotonic()
    failed = 0
    for seed in range(first, first + seeds):
        found = _verdict(seed, mutant)
        if found:
            failed += 1
            flag = f' --mutant "{mutant}"' if mutant else ""
            print(f"seed {seed}: {', '.join(found)}\n  replay: python -m tests.simulation --seed {seed}{flag}", flush=True)
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"{seed - first + 1} of {seeds} seeds, {failed} wrong, {told - started:.0f} s", flush=True)
    print(f"{seeds} seeds, {failed} wrong, {time.monotonic() - started:.1f} s")
    return failed


def _verdict(seed: int, mutant: str | None) -> list[str]:
    return verdict(seed, EVERY[mutant].setting) if mutant else verdict(seed, drawn_setting(seed), LONG_STEPS_MAX)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
