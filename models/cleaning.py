"""Rules by which an event counts as noise."""

import msgspec


class Cleaning(msgspec.Struct, frozen=True):
    """What is too short to be a view, and too soon to be another click. Milliseconds."""

    view_events: frozenset[str] = frozenset({"page_viewed", "screen_viewed"})
    click_events: frozenset[str] = frozenset({"element_clicked"})
    view_ms_min: int = 1_000
    click_gap_ms: int = 60_000
