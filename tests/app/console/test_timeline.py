"""The rows of a journey: headings where the day or the session changes, marks where a stage was entered."""

from zoneinfo import ZoneInfo

from app.console.timeline import Journey, Row, rows
from app.pages import Item
from models.event import Event
from models.ids import EventId, Identifier
from models.journey.summary import Place
from models.sessions import sessions

ZONE = ZoneInfo("Asia/Shanghai")
NOON, MINUTE = 1_790_049_600_000, 60_000
"""Noon in Shanghai, 22 September 2026."""


def event(name: str, minutes: int, properties: bytes = b"{}") -> Event:
    at = NOON + minutes * MINUTE
    return Event(EventId(name), "page_viewed", "web", at, at, (Identifier("user_id", "1"),), properties)


EVENTS = [event("a", 0), event("b", 5), event("c", 100), event("d", 13 * 60)]
WHOLE = {session.session: session for session in sessions(EVENTS)}
ITEMS = [
    Item(EVENTS[0], EventId("a")),
    Item(EVENTS[1], EventId("a")),
    Item(EVENTS[2], EventId("c")),
    Item(EVENTS[3], EventId("d")),
]
JOURNEY = Journey(WHOLE, {"visit": Place(EVENTS[1].occurred_at, EventId("b"))}, ZONE)


def told(items: list[Item]) -> list[str]:
    return [row.key for row in rows(items, JOURNEY)]


def one(properties: bytes) -> Row:
    return list(rows([Item(event("x", 0, properties), EventId("x"))], JOURNEY))[-1]


def test_days_and_sessions_have_headings() -> None:
    assert told(ITEMS) == [
        "day:2026-09-22",
        "session:2026-09-22:a",
        "event:a",
        "event:b",
        "session:2026-09-22:c",
        "event:c",
        "day:2026-09-23",
        "session:2026-09-23:d",
        "event:d",
    ]


def test_two_pages_have_the_keys_of_one() -> None:
    whole = told(ITEMS)
    parts = told(ITEMS[:1]) + told(ITEMS[1:])
    assert list(dict.fromkeys(parts)) == whole


def test_a_session_is_told_whole_though_the_page_is_not() -> None:
    heading = list(rows(ITEMS[:1], JOURNEY))[1]
    assert heading.session is not None
    assert heading.session.events == 2


def test_only_the_event_that_entered_a_stage_bears_it() -> None:
    assert [row.key for row in rows(ITEMS, JOURNEY) if row.stage] == ["event:b"]


def test_an_inferred_event_has_a_key_of_its_own_and_enters_nothing() -> None:
    row = list(rows([Item(EVENTS[1], EventId("a"), "cart_before_order")], JOURNEY))[-1]
    assert (row.key, row.rule, row.stage) == ("inferred:cart_before_order:b", "cart_before_order", None)


def test_times_are_in_the_zone_of_display() -> None:
    assert [row.clock for row in rows(ITEMS[-1:], JOURNEY)] == ["", "01:00:00", "01:00:00"]


def test_a_few_properties_are_told_in_short_and_all_in_the_details() -> None:
    row = one(b'{"a":"x","b":{"deep":1},"c":"","d":2,"e":true,"f":"more","g":"' + b"y" * 90 + b'"}')
    assert row.told == (("a", "x"), ("d", "2"), ("e", "True"))
    assert '"deep": 1' in row.details
    assert "y" * 90 in row.details


def test_a_number_beyond_all_bounds_is_shown_as_it_came() -> None:
    assert "1e999" in one(b'{"n":1e999}').details
