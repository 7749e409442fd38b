"""Laws of journeys: the order of arrival never shows, nor how often something arrives."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from models.event import Event
from models.ids import Identifier
from models.journey.summary import EMPTY, SEEN_MAX, fold, join, without
from models.timeline import place_of
from tests.models.journey.making import encode, made, placed
from tests.models.journey.shelf import Shelf, folded

UID = "u_ann"
NAMES = st.sampled_from(["page_viewed", "add_to_cart", "order_placed"])
IDENTIFIERS = st.lists(st.sampled_from([Identifier("phone", n) for n in "123"]), min_size=1, max_size=3, unique=True)


@st.composite
def deliveries(draw: st.DrawFn) -> list[Event]:
    """Some events; ids, times of occurring and of arriving collide often."""
    events = []
    for _ in range(draw(st.integers(1, 8))):
        event = made(
            draw(st.sampled_from("abcde")),
            draw(st.integers(0, 3)),
            received=draw(st.integers(1, 3)),
            name=draw(NAMES),
            channel=draw(st.sampled_from(["web", "app"])),
            traits=draw(st.dictionaries(st.sampled_from(["city", "plan"]), st.integers(0, 2) | st.none())),
            stage=draw(st.sampled_from([None, "consult", "order"])),
        )
        events.append(replace(event, identifiers=tuple(draw(IDENTIFIERS))))
    return events


@st.composite
def distinct(draw: st.DrawFn) -> list[Event]:
    """Events of different ids."""
    return list({event.event_id: event for event in draw(deliveries())}.values())


def standing(given_events: Sequence[Event]) -> list[Event]:
    """Of each event id the earliest delivery, in the order of the journey."""
    earliest: dict[str, Event] = {}
    for event in sorted(given_events, key=lambda e: (e.received_at, e.occurred_at, encode(e))):
        earliest.setdefault(event.event_id, event)
    return sorted(earliest.values(), key=place_of)


@settings(max_examples=50)
@given(events=deliveries(), data=st.data())
def test_any_order_and_any_repetition_give_the_same_journey(events: list[Event], data: st.DataObject) -> None:
    arriving = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))
    shelf = Shelf()
    shelf.told(*(placed(UID, event) for event in arriving))
    header = shelf.known(UID)
    assert shelf.events(UID) == standing(events)
    assert header.summary == folded(standing(events))
    assert header.sweep is None


@settings(max_examples=30)
@given(events=distinct(), data=st.data())
def test_the_order_of_folding_does_not_matter(events: list[Event], data: st.DataObject) -> None:
    assert folded(events) == folded(data.draw(st.permutations(events)))


@settings(max_examples=30)
@given(events=distinct(), data=st.data())
def test_summaries_join_in_any_way(events: list[Event], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.tuples(st.integers(0, len(events)), st.integers(0, len(events)))))
    a, b, c = folded(events[: cuts[0]]), folded(events[cuts[0] : cuts[1]]), folded(events[cuts[1] :])
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c)) == folded(events)
    assert join(a, EMPTY) == a


@settings(max_examples=30)
@given(events=distinct())
def test_taking_an_event_out_takes_it_out_of_all_counts(events: list[Event]) -> None:
    less, more = folded(events[1:]), folded(events)
    left = without(more, events[0])
    assert (left.events, left.channels, left.names) == (less.events, less.channels, less.names)


def test_of_very_many_identifiers_those_seen_last_are_remembered() -> None:
    many = [made(f"e{n}", n, person=f"p{n:03}") for n in range(SEEN_MAX + 50)]
    newest = {f"user_id:p{n:03}" for n in range(50, SEEN_MAX + 50)}
    assert folded(many).identifiers.keys() == newest
    assert folded(many[::-1]).identifiers.keys() == newest
    assert fold(folded(many), made("again", 1, person="p300")).identifiers["user_id:p300"].first == 1
