"""Pages of a timeline: the cursor as text, several timelines as one, and a part that was pulled just now."""

from base64 import urlsafe_b64encode
from itertools import permutations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.event import Event
from models.ids import EventId
from models.journey.summary import Place
from models.timeline import Filter, cursor, joined, lies_within, merged, place, place_of
from tests.models.journey.making import made

Where = tuple[int, int]
PLACES = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=30)


def events(places: set[Where], descending: bool) -> list[Event]:
    """Times are few, so that many are equal; an id stands at one time."""
    timed = [Event(EventId(f"{time}-{number:02}"), "x", "web", time, 0, ()) for time, number in places]
    return sorted(timed, key=place_of, reverse=descending)


def stored_page(stored: list[Event], after: Place | None, limit: int, descending: bool) -> tuple[list[Event], Place | None]:
    """As the store pages: what a full page ends with is where the next begins."""
    behind = [event for event in stored if lies_within(event, None, None, after, descending)][:limit]
    return behind, Place(behind[-1].occurred_at, behind[-1].event_id) if len(behind) == limit else None


def walked(stored: list[Event], pulled: list[Event], limit: int, descending: bool) -> list[Event]:
    found: list[Event] = []
    after: Place | None = None
    while True:
        page, following = stored_page(stored, after, limit, descending)
        others = [event for event in pulled if lies_within(event, None, None, after, descending)]
        both, after = joined(page, following, others, limit, descending=descending)
        assert len(both) <= limit
        found += both
        if after is None:
            return found


@given(PLACES, PLACES, st.integers(1, 7), st.booleans())
def test_a_walk_sees_what_is_stored_and_what_is_pulled_once_and_in_order(
    stored: set[Where], pulled: set[Where], limit: int, descending: bool
) -> None:
    both = events(stored | pulled, descending)
    assert walked(events(stored, descending), events(pulled, descending), limit, descending) == both


def test_what_was_stored_meanwhile_shows_as_it_is_stored() -> None:
    stored, pulled = (Event(EventId("1"), "x", channel, 5, 0, ()) for channel in ("web", "orders"))
    assert joined([stored], None, [pulled], 10, descending=False) == ([stored], None)


def test_times_are_from_inclusive_to_exclusive() -> None:
    places = events({(time, 0) for time in range(6)}, False)
    assert [event.occurred_at for event in places if lies_within(event, 2, 4, None, False)] == [2, 3]


def test_one_timeline_is_taken_as_it_is() -> None:
    own = events({(1, 1), (2, 2)}, True)
    assert merged([own], descending=True) == own


def text_of(given_value: object) -> str:
    return urlsafe_b64encode(msgspec.msgpack.encode(given_value)).rstrip(b"=").decode()


@given(at=st.integers(0, 10**14), event_id=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_cursor_finds_its_place_again(at: int, event_id: str) -> None:
    there = Place(at, made(event_id, 0).event_id)
    assert place(cursor(there)) == there
    assert cursor(there).replace("-", "").replace("_", "").isalnum()


@given(text=st.text(max_size=30))
@example("")
@example("!!!!")
@example("====")
@example("AA")
@example("加购")
@example("a" * 5000)
def test_garbage_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor of this service"):
        place(text)


@pytest.mark.parametrize(
    "forged",
    [
        text_of([1]),
        text_of([1, "e", 2]) + "AA",
        text_of(["1", "e"]),
        text_of([1.5, "e"]),
        text_of([None, None]),
        text_of({"occurred_at": 1, "event_id": "e"}),
        text_of([-1, "e"]),
        cursor(Place(1, made("e", 0).event_id)) + "=",
        " " + cursor(Place(1, made("e", 0).event_id)),
        "!" + cursor(Place(1, made("e", 0).event_id)),
        urlsafe_b64encode(b"\x92\x01\xa1\xff").decode(),
    ],
)
def test_what_only_looks_like_a_cursor_is_none(forged: str) -> None:
    with pytest.raises(ValueError, match="not a cursor of this service"):
        place(forged)


def test_several_timelines_are_one_in_order_and_what_is_moving_shows_once() -> None:
    a, b, c = made("a", 1), made("b", 1), made("c", 2)
    for timelines in permutations([[a, c], [b, c], []]):
        assert merged(timelines) == [a, b, c]
    for timelines in permutations([[c, a], [c, b]]):
        assert merged(timelines, descending=True) == [c, b, a]
    assert merged([]) == []


def test_an_event_is_wanted_by_channel_and_by_name() -> None:
    event = made("e", 1, channel="web", name="order_placed")
    yes, no = frozenset({"web", "order_placed"}), frozenset({"store"})
    wanted = [(Filter(), True), (Filter(yes), True), (Filter(events=yes), True), (Filter(yes, yes), True)]
    unwanted = [(Filter(no), False), (Filter(events=no), False), (Filter(yes, no), False), (Filter(no, yes), False)]
    for which, expected in wanted + unwanted:
        assert which.lets_through(event) is expected


def test_order_is_by_time_then_id() -> None:
    assert sorted([made("b", 1), made("a", 2), made("a", 1)], key=place_of) == [made("a", 1), made("b", 1), made("a", 2)]
