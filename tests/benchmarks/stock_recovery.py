"""Baseline: `python -m tests.benchmarks.stock_recovery BOOTSTRAP TOPIC ROWS NAME DATA`: a stock Faust agent without its disk.

It is the agent of `stock`, whose changelog holds so many rows already. The rate is that of what was read behind the first batch,
so neither joining the group nor the first fetch is counted.
"""

import json
import os
import sys
import time
from collections.abc import Iterable
from typing import Any

from tests.benchmarks.stock import EVENTS, app, table

ROWS = int(EVENTS)
read: list[tuple[float, int]] = []
"""Moment and number of the rows of each batch."""
apply = table.apply_changelog_batch


def counted(batch: Iterable[Any]) -> None:
    """Faust's own, and then the figure, when that was the last row: the rest of the agent's life is not wanted."""
    held = list(batch)
    apply(held)
    read.append((time.perf_counter(), len(held)))
    if (rows := sum(count for _, count in read)) >= ROWS:
        figure = {"rows": rows - read[0][1], "seconds": read[-1][0] - read[0][0], "cpu_seconds": time.process_time()}
        os.write(1, b"\n" + json.dumps(figure).encode())  # Faust has begun a line
        os._exit(0)


if __name__ == "__main__":
    table.apply_changelog_batch = counted
    sys.argv[1:] = ["worker", "-l", "error"]
    app.main()
