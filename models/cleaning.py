"""Rules by which an event counts as noise. Those that need the event alone are in `RULES`; first match wins.

`repeated_click` needs what the same device did before, so it is decided where journeys are kept, with `Cleaning.click_gap_ms`.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from models.event import Event, Reason, Rejected


class Cleaning(msgspec.Struct, frozen=True):
    """What is too short to be a view, and too soon to be another click. Milliseconds."""

    view_events: frozenset[str] = frozenset({"page_viewed", "screen_viewed"})
    click_events: frozenset[str] = frozenset({"element_clicked"})
    view_ms_min: int = 1_000
    click_gap_ms: int = 60_000


class Rule(NamedTuple):
    """A reason, when it applies, and how it is told; `{…}` are fields of `Cleaning`."""

    reason: Reason
    applies: Callable[[Event, Cleaning], bool]
    words: str


def _too_short(event: Event, cleaning: Cleaning) -> bool:
    if event.duration_ms is None or event.event not in cleaning.view_events:
        return False
    return event.duration_ms < cleaning.view_ms_min


RULES = (Rule("view_too_short", _too_short, "a view counts from {view_ms_min} ms on"),)


def noise(event: Event, cleaning: Cleaning) -> Rejected | None:
    """The first rule by which the event is noise, or None."""
    for rule in RULES:
        if rule.applies(event, cleaning):
            return Rejected(rule.reason, rule.words.format(**msgspec.structs.asdict(cleaning)))
    return None
