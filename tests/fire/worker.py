"""A worker whose clock can be set and whose rules can be broken: `python -m tests.fire.worker`, else the same as the real one.

`ONETRAIL_FIRE_CLOCK` names a file that holds seconds by which this process's wall clock (Python's `time.time`, `time.time_ns`)
is wrong; `ONETRAIL_FIRE_BREAK` a rule of the runtime to take away, to see that the harness notices.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LOOK_SECONDS = 0.5


def set_clock(file: Path) -> None:
    """From here on the wall clock is wrong by what the file says; the monotonic one never is."""
    true_ns, looked, offset = time.time_ns, -1.0, 0.0

    def wrong_ns() -> int:
        nonlocal looked, offset
        if time.monotonic() - looked > LOOK_SECONDS:
            looked = time.monotonic()
            with suppress(OSError, ValueError):
                offset = float(file.read_text())
        return true_ns() + int(offset * 1e9)

    time.time_ns = wrong_ns
    time.time = lambda: wrong_ns() / 1e9


set_clock(Path(os.environ["ONETRAIL_FIRE_CLOCK"]))

from faust.cli.faust import cli  # noqa: E402  # whoever takes `time` out of its module must get the one that is set

from tests.fire.broken import RULES, STUCK  # noqa: E402

rules = {name: rule.take_away for name, rule in RULES.items()}
broken: Callable[[], None] | None = {**rules, **STUCK}.get(os.environ.get("ONETRAIL_FIRE_BREAK", ""))
if broken is not None:
    broken()

if __name__ == "__main__":
    cli()
