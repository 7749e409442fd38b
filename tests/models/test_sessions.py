"""Sessions: a pause of half an hour ends one; the event after it opens the next and gives it its name."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from models.event import Event
from models.sessions import GAP_MS, Session, goes_on, opened, openers, page_of, sessions
from models.timeline import place_of
from tests.models.journey.making import made

MINUTE = 60_000


def visit(event_id: str, minute: float, page: str | None = None, channel: str = "web") -> Event:
    """Something that happened some minutes after the start, perhaps on a page."""
    context = {} if page is None else {"page": {"url": page}}
    return made(event_id, round(minute * MINUTE), channel=channel, context=context)


@st.composite
def journeys(draw: st.DrawFn) -> list[Event]:
    """Pauses around the gap; equal times too."""
    times, at = [], 0
    for _ in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from([0, 1, 29 * MINUTE, GAP_MS - 1, GAP_MS, GAP_MS + 1, 90 * MINUTE]))
        times.append(at)
    events = [visit(f"e{n:02}", at / MINUTE, draw(st.sampled_from([None, "/a", "/b"]))) for n, at in enumerate(times)]
    return sorted(events, key=place_of)


def test_a_pause_of_half_an_hour_ends_a_session() -> None:
    events = [visit("a", 0), visit("b", 29), visit("c", 58.9), visit("d", 88.9), visit("e", 200)]
    assert openers(events) == ["a", "a", "a", "d", "e"]
    assert [(s.session, s.events) for s in sessions(events)] == [("a", 3), ("d", 1), ("e", 1)]


def test_a_session_tells_entry_last_page_and_channels() -> None:
    events = [
        visit("a", 0, channel="wecom"),
        visit("b", 1, "/models"),
        visit("c", 2, "/price", channel="mini_program"),
        visit("d", 3, channel="wecom"),
    ]
    assert sessions(events) == [Session(events[0].event_id, 0, 180_000, 4, "/models", "/price", ("wecom", "web", "mini_program"))]


def test_without_pages_there_is_no_entry() -> None:
    [session] = sessions([visit("a", 0)])
    assert (session.entry, session.last, session.started_at, session.ended_at) == (None, None, 0, 0)


def test_the_gap_can_be_another() -> None:
    events = [visit("a", 0), visit("b", 6)]
    assert openers(events, gap_ms=5 * MINUTE) == ["a", "b"]
    assert not goes_on(opened(events[0]), events[1], gap_ms=5 * MINUTE)


def test_of_nothing_there_is_no_session() -> None:
    assert (sessions([]), openers([])) == ([], [])


@settings(max_examples=50)
@given(events=journeys(), data=st.data())
def test_a_page_in_the_middle_tells_what_the_whole_tells(events: list[Event], data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(events) - 1))
    names = openers(events)
    assert openers(events[begin:], names[begin]) == names[begin:]


@settings(max_examples=50)
@given(events=journeys())
def test_each_event_is_in_one_session_and_pauses_lie_between_them(events: list[Event]) -> None:
    found, names = sessions(events), openers(events)
    assert [session.session for session in found] == list(dict.fromkeys(names))
    assert [session.events for session in found] == [names.count(session.session) for session in found]
    for earlier, later in pairwise(found):
        assert later.started_at - earlier.ended_at >= GAP_MS
    for name, event, following in zip(names, events, events[1:], strict=False):
        same = names[events.index(following)] == name
        assert same == (following.occurred_at - event.occurred_at < GAP_MS)


@pytest.mark.parametrize(
    ("event", "page"),
    [
        (made("e", 1), None),
        (made("e", 1, context={"page": {"url": "https://a/b", "path": "/b"}}), "https://a/b"),
        (made("e", 1, context={"page": {"path": "/b"}}), "/b"),
        (made("e", 1, properties={"url": "https://a/c"}, context={"page": {"path": "/b"}}), "https://a/c"),
        (made("e", 1, properties={"path": "/c"}), "/c"),
        (made("e", 1, name="screen_viewed", properties={"name": "购物车 🛒"}), "购物车 🛒"),
        (made("e", 1, name="order_placed", properties={"name": "a car"}), None),
        (made("e", 1, context={"screen": {"name": "Cart"}}), "Cart"),
        (made("e", 1, context={"page": "no object", "screen": 7}), None),
        (made("e", 1, properties={"url": 7, "path": None}, context={"page": {"url": ""}}), None),
    ],
)
def test_the_page_of_an_event(event: Event, page: str | None) -> None:
    assert page_of(event) == page


def test_a_number_beyond_all_bounds_is_no_page() -> None:
    assert page_of(replace(made("e", 1), properties=b'{"url": 1e999}', context=b'{"page": {"url": 1e999}}')) is None
