"""Pages of a journey: sessions and inferred events are the same however a journey is cut into pages."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import pages as module
from app.pages import Item, Page, Pages, Piece, Source, together
from models.event import Event
from models.ids import EventId
from models.inference import Rule
from models.journey.summary import Place
from models.sessions import openers, sessions
from models.timeline import Filter, lies_within, place_of
from tables.journey import Window

GAP_MS = 10
RULE = Rule("cart", event="order_paid", needs="add_to_cart", after="product_viewed", within_ms=40)
NAMES = ("product_viewed", "add_to_cart", "order_paid", "page_viewed")
EVENTS = st.lists(st.tuples(st.integers(0, 120), st.sampled_from(NAMES), st.sampled_from(["web", "app"])), max_size=25)


def journey(told: Sequence[tuple[int, str, str]]) -> list[Event]:
    made = [Event(EventId(f"e{n:02}"), event, channel, at, at, ()) for n, (at, event, channel) in enumerate(told)]
    return sorted(made, key=place_of)


def source(events: Sequence[Event]) -> Source:
    async def piece(window: Window, limit: int) -> Piece:
        ordered = sorted(events, key=place_of, reverse=window.descending)
        found = [event for event in ordered if lies_within(event, *window)][:limit]
        return Piece(found, Place(*place_of_last(found)) if len(found) == limit else None)

    return piece


def place_of_last(events: Sequence[Event]) -> tuple[int, EventId]:
    return events[-1].occurred_at, events[-1].event_id


ASCENDING, EVERYTHING = Window(), Filter()


def walked(
    at: Source, limit: int, window: Window = ASCENDING, wanted: Filter = EVERYTHING, rules: Sequence[Rule] = ()
) -> list[Item]:
    async def walk() -> list[Item]:
        found: list[Item] = []
        here = window
        while True:
            page: Page = await Pages(GAP_MS, rules).page(at, here, wanted, limit)
            assert len(page.items) <= max(limit, 1 + len(rules))
            found += page.items
            if page.after is None:
                return found
            here = here._replace(after=page.after)

    return asyncio.run(walk())


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces so small that every journey has several."""
    monkeypatch.setattr(module, "CHUNK_EVENTS", 3)
    monkeypatch.setattr(module, "LOOK_BACK", 2)


@given(EVENTS, st.integers(1, 9), st.booleans())
def test_an_event_is_in_its_session_on_whatever_page(told: list[tuple[int, str, str]], limit: int, descending: bool) -> None:
    events = journey(told)
    expected = dict(zip([e.event_id for e in events], openers(events, gap_ms=GAP_MS), strict=True))
    found = walked(source(events), limit, Window(descending=descending))
    assert [item.event for item in found] == (events[::-1] if descending else events)
    assert {item.event.event_id: item.session for item in found} == expected


@given(EVENTS, st.integers(0, 120), st.integers(0, 120), st.integers(1, 5), st.booleans())
def test_a_filter_narrows_what_is_shown_and_leaves_sessions_as_they_are(
    told: list[tuple[int, str, str]], since: int, before: int, limit: int, descending: bool
) -> None:
    events = journey(told)
    expected = dict(zip([e.event_id for e in events], openers(events, gap_ms=GAP_MS), strict=True))
    found = walked(source(events), limit, Window(since, before, None, descending), Filter(channels=frozenset({"web"})))
    narrowed = [event for event in events if event.channel == "web" and since <= event.occurred_at < before]
    assert [item.event for item in found] == (narrowed[::-1] if descending else narrowed)
    assert all(item.session == expected[item.event.event_id] for item in found)


@given(EVENTS, st.integers(1, 9), st.booleans())
def test_gaps_are_the_same_on_pages_as_in_the_whole(told: list[tuple[int, str, str]], limit: int, descending: bool) -> None:
    whole = walked(source(journey(told)), 1_000, rules=[RULE])
    assert walked(source(journey(told)), limit, Window(descending=descending), rules=[RULE]) == (
        whole[::-1] if descending else whole
    )


def test_an_inferred_event_stands_before_the_one_that_needs_it_and_can_be_asked_for() -> None:
    events = journey([(1, "product_viewed", "web"), (5, "order_paid", "app")])
    found = walked(source(events), 10, rules=[RULE])
    assert [(item.event.event, item.rule) for item in found] == [
        ("product_viewed", None),
        ("add_to_cart", "cart"),
        ("order_paid", None),
    ]
    only = walked(source(events), 10, wanted=Filter(events=frozenset({"add_to_cart"})), rules=[RULE])
    assert [item.rule for item in only] == ["cart"]


@given(EVENTS, EVENTS, st.integers(1, 5), st.booleans())
def test_two_sources_together_are_one_journey(
    stored: list[tuple[int, str, str]], pulled: list[tuple[int, str, str]], limit: int, descending: bool
) -> None:
    events = journey([*stored, *pulled])
    others = [event for event in events if int(event.event_id[1:]) >= len(stored)]
    both = together(source([event for event in events if event not in others]), others)
    window = Window(descending=descending)
    assert walked(both, limit, window, rules=[RULE]) == walked(source(events), limit, window, rules=[RULE])


@given(EVENTS, st.integers(1, 4), st.booleans())
def test_sessions_are_listed_whole_and_once(told: list[tuple[int, str, str]], limit: int, descending: bool) -> None:
    events = journey(told)

    async def walk() -> list[object]:
        found: list[object] = []
        window = Window(descending=descending)
        while True:
            page = await Pages(GAP_MS, ()).sessions(source(events), window, limit)
            assert len(page.items) <= limit
            found += page.items
            if page.after is None:
                return found
            window = window._replace(after=page.after)

    expected = sessions(events, gap_ms=GAP_MS)
    assert asyncio.run(walk()) == (expected[::-1] if descending else expected)


def test_the_beginning_of_a_journey_is_read_at_once_and_no_more_than_asked() -> None:
    """The hot path: the first page of a journey, without filter, is one question."""
    asked: list[int] = []
    inner = source(journey([(n, "page_viewed", "web") for n in range(20)]))

    async def noted(window: Window, limit: int) -> Piece:
        asked.append(limit)
        return await inner(window, limit)

    asyncio.run(Pages(GAP_MS, ()).page(noted, Window(), Filter(), 7))
    assert asked == [7]


@pytest.mark.parametrize("descending", [False, True])
def test_a_page_within_a_long_session_reads_few_of_its_events(descending: bool) -> None:
    events = journey([(n, "page_viewed", "web") for n in range(500)])
    inner, read = source(events), list[Event]()

    async def noted(window: Window, limit: int) -> Piece:
        piece = await inner(window, limit)
        read.extend(piece.events)
        return piece

    window = Window(after=Place(490, events[490].event_id), descending=descending)
    page = asyncio.run(Pages(GAP_MS, ()).page(noted, window, EVERYTHING, 5))
    assert {item.session for item in page.items} == {events[0].event_id}
    assert len(read) < 5 + 500 / (GAP_MS - 1) + 3


@pytest.mark.parametrize("descending", [False, True])
def test_who_opened_a_session_is_searched_once_for_all_pieces_of_a_page(descending: bool) -> None:
    events = journey([(n, "page_viewed", "web") for n in range(300)])
    inner, asked = source(events), list[Window]()

    async def noted(window: Window, limit: int) -> Piece:
        asked.append(window)
        return await inner(window, limit)

    window = Window(after=Place(150, events[150].event_id), descending=descending)
    page = asyncio.run(Pages(GAP_MS, ()).page(noted, window, Filter(events=frozenset({"nothing"})), 5))
    searches = [one for one in asked if one.before is not None]
    assert (page, len(searches) < 150 / (GAP_MS - 1) + 3) == (Page([], None), True)


@pytest.mark.parametrize("descending", [False, True])
def test_an_event_a_gap_later_opens_a_session_on_any_page(descending: bool) -> None:
    events = journey([(at, "page_viewed", "web") for at in (0, 10, 19, 29)])
    found = walked(source(events), 1, Window(descending=descending))
    named = {item.event.event_id: item.session for item in found}
    assert named == {"e00": "e00", "e01": "e01", "e02": "e01", "e03": "e03"}


def test_a_search_ends_at_its_bound_and_where_events_have_gone() -> None:
    events = journey([(n, "page_viewed", "web") for n in range(9, 300, 9)])
    inner, asked = source(events), list[Window]()
    middle = Place(events[-3].occurred_at, events[-3].event_id)

    async def gone(window: Window, limit: int) -> Piece:
        asked.append(window)
        piece = await inner(window, limit)
        return piece if len(asked) == 1 else piece._replace(events=[])

    early = Place(events[3].occurred_at, events[3].event_id)
    page = asyncio.run(Pages(GAP_MS, ()).page(gone, Window(after=early), EVERYTHING, 1))
    assert [item.session for item in page.items] == [events[4].event_id]
    assert len(asked) <= 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LEAPS_MAX", 4)
        page = asyncio.run(Pages(GAP_MS, ()).page(inner, Window(after=middle), EVERYTHING, 1))
    assert [item.session for item in page.items] == [events[-6].event_id]


def test_all_events_at_the_far_end_of_a_rule_are_seen() -> None:
    events = journey(
        [(0, "product_viewed", "web"), (0, "page_viewed", "web"), (20, "page_viewed", "web"), (40, "order_paid", "web")]
    )
    whole = walked(source(events), 1_000, rules=[RULE])
    assert [item.rule for item in whole].count("cart") == 1
    assert walked(source(events), 1, rules=[RULE]) == whole


@given(EVENTS, st.sets(st.integers(0, 24)), st.integers(1, 4), st.booleans())
def test_events_that_are_not_shown_open_no_session(
    told: list[tuple[int, str, str]], hidden: set[int], limit: int, descending: bool
) -> None:
    events = journey(told)
    inner, shown = source(events), [event for event in events if int(event.event_id[1:]) not in hidden]

    async def partly(window: Window, limit: int) -> Piece:
        piece = await inner(window, limit)
        return piece._replace(events=[event for event in piece.events if event in shown])

    expected = dict(zip([e.event_id for e in shown], openers(shown, gap_ms=GAP_MS), strict=True))
    found = walked(partly, limit, Window(descending=descending))
    assert {item.event.event_id: item.session for item in found} == expected


FAR = Rule("far", event="order_paid", needs="add_to_cart", after="product_viewed", within_ms=1_000)


@pytest.mark.parametrize(("rules", "after"), [([], 0), ([FAR], 57)])
async def test_others_are_let_run_while_a_long_journey_is_searched(rules: Sequence[Rule], after: int) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    events = journey([(n, "page_viewed", "web") for n in range(60)])
    window = Window(after=Place(after, events[after].event_id))
    found = await Pages(GAP_MS, rules).page(source(events), window, Filter(events=frozenset({"order_paid"})), 5)
    running.cancel()
    assert (found, turns >= 15) == (Page([], None), True)
