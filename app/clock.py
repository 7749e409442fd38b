"""The only reader of the wall clock: everything else is given the time as an argument or in a message."""

import time


def now_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000
