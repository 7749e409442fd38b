"""How long things take: from the broker's time of a record to when all that follows from it is durable and can be looked up.

`visible` is end to end: from the append of an event to its channel's topic to when its journey shows it. What a batch heard of is
kept in the context of its task, since batches of other partitions run in between; it is counted when the batch is written.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from typing import Any

from app.clock import now_ms

BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)

_heard: ContextVar[list[int]] = ContextVar("received_at of the events in the batch under way")


class Histogram:
    """Counts of durations, by the bound that they do not exceed."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_SECONDS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """A duration, so many times; clocks of two machines may make it negative."""
        self._counts[bisect_left(BOUNDS_SECONDS, seconds)] += times
        self.sum += max(0.0, seconds) * times

    def observe_since(self, begins: Iterable[int]) -> None:
        """Durations from these times, in UTC milliseconds, until now. Of one batch many are the same."""
        now = now_ms()
        for begin, times in Counter(begins).items():
            self.observe((now - begin) / 1000, times)

    def buckets(self) -> list[tuple[str, int]]:
        """(bound as text, so many at or below it), as Prometheus wants them."""
        total, found = 0, []
        for bound, count in zip((*map(str, BOUNDS_SECONDS), "+Inf"), self._counts, strict=True):
            total += count
            found.append((bound, total))
        return found


class Delay:
    """Of the records of one agent: called with each batch that is finished."""

    def __init__(self) -> None:
        self.seconds = Histogram()

    def __call__(self, records: Sequence[Any]) -> None:
        self.seconds.observe_since([record.timestamp for record in records])


class VisibleDelay(Delay):
    """Of the records of an agent, and of the events that it heard of in them."""

    def __init__(self) -> None:
        super().__init__()
        self.visible = Histogram()

    def __call__(self, records: Sequence[Any]) -> None:
        super().__call__(records)
        if heard := _heard.get(()):
            self.visible.observe_since(heard)
            _heard.set([])


def hear(received_at: int) -> None:
    """An event of the batch under way; `received_at` is the broker's time, in UTC milliseconds."""
    try:
        _heard.get().append(received_at)
    except LookupError:
        _heard.set([received_at])
