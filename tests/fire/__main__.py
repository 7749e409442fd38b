"""`python -m tests.fire`: the whole system under fire for as long as asked; exit 1 on any difference, with the smallest witness.

The first line is the seed. A seed gives the same people, load and schedule of faults; what the machine does between them is
its own, so a difference may need several runs to show again.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fire.broken import RULES
from tests.fire.faults import FAULTS
from tests.fire.run import SHORT, run

SHOWN = 3
MINUTES = 10


def main(arguments: list[str]) -> int:
    """0 when every person is right; with a broken rule, when that is noticed."""
    options = _options(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it says of a broker that we have killed ourselves
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    plan = _plan(options)
    with tempfile.TemporaryDirectory(prefix="onetrail-fire-") as root:
        report = asyncio.run(run(Path(root), seed, plan, lambda line: print(line, flush=True), options.broken))
    for one in report.differences[:SHOWN]:
        print(f"{one.kind}: {one.what}")
    print(f"ended by themselves: {dict(report.ended)}")
    print(report.line)
    return int(bool(report.differences) != bool(options.broken))


def _plan(options: argparse.Namespace) -> float | Sequence[str]:
    """Which faults, or for how many seconds; a broken rule brings its own."""
    if options.faults:
        return list(options.faults)
    if options.short:
        return SHORT
    if options.broken and options.minutes is None:
        return RULES[options.broken].faults
    return float(options.minutes or MINUTES) * 60


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fire", description=__doc__)
    parser.add_argument("--seed", type=int, help="of people, load and faults; default: any")
    parser.add_argument("--minutes", type=float, help=f"how long faults go on (default {MINUTES})")
    parser.add_argument("--short", action="store_true", help="eight faults, two minutes: what `make test` runs")
    parser.add_argument("--faults", nargs="+", choices=sorted(FAULTS), metavar="FAULT", help="these, each once, in this order")
    parser.add_argument(
        "--break",
        dest="broken",
        choices=sorted(RULES),
        default="",
        help="a rule of the runtime to take away; without other faults, with those it stands against",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
