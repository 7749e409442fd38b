"""Events that are noise by themselves."""

import pytest

from models.cleaning import RULES, Cleaning, noise
from models.event import Event, Rejected
from models.ids import EventId, Identifier

SHORT = Rejected("view_too_short", "a view counts from 1000 ms on")


def event(name: str, duration_ms: int | None) -> Event:
    return Event(EventId("e1"), name, "web", 0, 0, (Identifier("user_id", "42"),), duration_ms=duration_ms)


@pytest.mark.parametrize(
    ("name", "duration_ms", "verdict"),
    [
        ("page_viewed", 999, SHORT),
        ("page_viewed", 0, SHORT),
        ("screen_viewed", 999, SHORT),
        ("page_viewed", 1000, None),
        ("page_viewed", None, None),
        ("video_played", 999, None),
    ],
)
def test_a_view_below_a_second_is_noise(name: str, duration_ms: int | None, verdict: Rejected | None) -> None:
    assert noise(event(name, duration_ms), Cleaning()) == verdict


def test_what_is_short_is_a_setting() -> None:
    cleaning = Cleaning(view_events=frozenset({"video_played"}), view_ms_min=3000)
    assert noise(event("video_played", 2999), cleaning) == Rejected("view_too_short", "a view counts from 3000 ms on")
    assert noise(event("page_viewed", 0), cleaning) is None


def test_every_rule_has_a_reason_of_its_own() -> None:
    assert len({rule.reason for rule in RULES}) == len(RULES)
