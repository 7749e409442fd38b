"""What each worker knows of its own speed, and what that says of all together. Pure but for the worker's own counts.

Counts of durations are since a worker's start. What is shown is the difference between two looks, so it tells of the last while
and not of a replay long ago, unless nothing happened lately; a worker that was started again counts from there.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from app.latency import BOUNDS_SECONDS
from models.ids import UnifiedUserId

Counts = tuple[int, ...]
"""Durations by the bound that they do not exceed; the last is beyond all bounds."""


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """A frozen cluster: since the log time of the event behind its merge (UTC ms), with messages that wait too."""

    uid: UnifiedUserId
    since: int
    pending: int


class Numbers(msgspec.Struct, frozen=True, array_like=True):
    """One worker's part."""

    worker: str
    visible: Counts
    """From the broker's time of an event to when its journey shows it."""
    lookups: Counts
    """How long answers of `/v1/` took."""
    waiting: list[Waiting]


class Look(NamedTuple):
    """What was told at a moment of the monotonic clock: events in journeys, and each worker's durations."""

    at: float
    events: int
    visible: dict[str, Counts]
    lookups: dict[str, Counts]


class Speed(NamedTuple):
    """Half and nearly all durations are not longer than these, in seconds; None = beyond all bounds. `durations`: of so many."""

    durations: int
    half: float | None
    most: float | None


def lately(earlier: dict[str, Counts], later: dict[str, Counts]) -> Speed:
    """Between two looks; since the start where nothing was counted between them."""
    found = speed(earlier, later)
    return found if found.durations else speed({}, later)


def speed(earlier: dict[str, Counts], later: dict[str, Counts]) -> Speed:
    """Of what was counted between two looks."""
    parts = [gained(earlier.get(worker), counts) for worker, counts in later.items()]
    together = [sum(column) for column in zip(*parts, strict=True)]
    return Speed(sum(together), quantile(together, 0.5), quantile(together, 0.95))


def gained(earlier: Counts | None, later: Counts) -> Counts:
    """What came since then; everything, if nothing is known of then or the worker began anew."""
    if earlier is None or sum(earlier) > sum(later):
        return later
    return tuple(after - before for before, after in zip(earlier, later, strict=True))


def quantile(counts: Sequence[int], part: float) -> float | None:
    """The bound that this part of the durations does not exceed; None = there is no such bound, or nothing was counted."""
    wanted, seen = sum(counts) * part, 0
    for bound, count in zip(BOUNDS_SECONDS, counts, strict=False):
        seen += count
        if seen >= wanted > 0:
            return bound
    return None


def rate(earlier: Look, later: Look) -> float:
    """Events a second between two looks."""
    return max(0.0, round((later.events - earlier.events) / max(0.001, later.at - earlier.at), 1))
