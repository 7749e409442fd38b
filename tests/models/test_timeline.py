"""Pages of a journey of which a part is stored and a part was pulled just now."""

from hypothesis import given
from hypothesis import strategies as st

from models.event import Event
from models.ids import EventId
from models.journey.summary import Place
from models.timeline import joined, lies_within, merged, place_of

Where = tuple[int, int]
PLACES = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=30)


def events(places: set[Where], descending: bool) -> list[Event]:
    """Times are few, so that many are equal; an id stands at one time."""
    made = [Event(EventId(f"{time}-{number:02}"), "x", "web", time, 0, ()) for time, number in places]
    return sorted(made, key=place_of, reverse=descending)


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
