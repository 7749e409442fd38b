"""Journeys as stored: every kind of row comes back, and windows of a timeline show exactly what lies in them."""

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.runtime.rows import Partition, stamp
from models.event import Event
from models.ids import EventId, IdentifierKey, UnifiedUserId
from models.journey.rows import (
    LIMIT,
    REPEAT,
    Entry,
    Header,
    Latest,
    Row,
    Sweep,
    click_key,
    entry_key,
    header_key,
    id_key,
    latest_key,
)
from models.journey.summary import Place
from models.journey_messages import Moved
from models.timeline import place_of
from tables import journey
from tables.codec import codec
from tables.journey import Window, entries_of, event_of, events, header_of, known_of
from tests.models.journey.making import encode, made
from tests.models.journey.shelf import folded

ANN = UnifiedUserId("u_ann")
PHONE = IdentifierKey("phone:x")
TIMES = st.integers(0, 6)
IDS = st.sampled_from(["a", "ab", "b", "a|b", "加", "🛒", "a\x00", "z"])
_uids = (UnifiedUserId(f"u_{n:06}") for n in count())


class Stored(NamedTuple):
    """A journey that was stored, and its neighbours in the table."""

    uid: UnifiedUserId
    events: list[Event]


def events_of(partition: Partition, uid: UnifiedUserId, window: Window, limit: int) -> list[Event]:
    return [event_of(entry) for entry in entries_of(partition, uid, window, limit)]


def write(partition: Partition, rows: dict[bytes, Row | None]) -> None:
    """Stores rows; None deletes as stages do."""
    stamped = ((key, stamp(1) + (b"" if row is None else codec.encode(key, row))) for key, row in rows.items())
    partition.write(stamped, 0)


def entries(uid: UnifiedUserId, given_events: list[Event]) -> dict[bytes, Row | None]:
    """The entries of a journey."""
    return {entry_key(uid, e.occurred_at, e.event_id): Entry(PHONE, encode(e)) for e in given_events}


@st.composite
def timelines(draw: st.DrawFn) -> list[Event]:
    """Times are few, so that many are equal."""
    places = draw(st.sets(st.tuples(TIMES, IDS), max_size=20))
    return sorted((made(name, at) for at, name in places), key=place_of)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Any window; cursors also point at places where nothing lies."""
    after = draw(st.none() | st.builds(lambda at, name: Place(at, EventId(name)), TIMES, IDS))
    bounds = draw(st.tuples(st.none() | st.integers(-2, 8), st.none() | st.integers(-2, 8)))
    return Window(*bounds, after, draw(st.booleans()))


def shown(given_events: list[Event], window: Window, limit: int) -> list[Event]:
    """The plain truth: everything that lies in a window."""
    found = []
    for event in sorted(given_events, key=place_of, reverse=window.descending):
        after = None if window.after is None else (window.after.occurred_at, window.after.event_id)
        behind = after is None or (place_of(event) < after if window.descending else place_of(event) > after)
        since, before = window.since, window.before
        if behind and (since is None or event.occurred_at >= since) and (before is None or event.occurred_at < before):
            found.append(event)
    return found[:limit]


def walk(partition: Partition, uid: UnifiedUserId, window: Window, limit: int) -> Iterator[list[Event]]:
    """Page after page, as a client does it."""
    while page := events_of(partition, uid, window, limit):
        yield page
        window = window._replace(after=Place(page[-1].occurred_at, page[-1].event_id))


@pytest.mark.parametrize(
    ("key", "row"),
    [
        (header_key(ANN), Header()),
        (header_key(ANN), Header("erased", sweeps=3, moved={PHONE: Moved(None, 2)})),
        (
            header_key(ANN),
            Header(
                "moved",
                folded([made("e", 1, traits={"city": "佛山 🏮"}, stage="order")]),
                UnifiedUserId("u_bob"),
                {PHONE: 4},
                {PHONE: Moved(UnifiedUserId("u_eve"), 3)},
                (UnifiedUserId("u_dan"),),
                2,
                Sweep(2, b"t|u_ann|", folded([made("f", 2)]), b"t|u_ann|\x00", ("2/(1, 'e')/0",)),
            ),
        ),
        (entry_key(ANN, 5, EventId("e|1")), Entry(PHONE, encode(made("e|1", 5)))),
        (entry_key(ANN, 5, EventId("e|1")), Entry(PHONE, encode(made("e|1", 5)), "60.a", REPEAT)),
        (click_key(ANN, "60.a", Place(5, EventId("e|1"))), 1),
        (latest_key(ANN, "60.a"), Latest(Place(5, EventId("e|1")), Place(4, EventId("e")), 2)),
        (id_key(ANN, EventId("t|h|e")), 5),
        (id_key(ANN, EventId("e")), 0),
        (LIMIT, 1_780_000_000_000),
        (header_key(ANN), Header(aged=folded([made("e", 1)]), listed_since=5, rested=None)),
    ],
)
def test_every_kind_of_row_comes_back_as_it_was(key: bytes, row: Row) -> None:
    assert codec.decode(key, codec.encode(key, row)) == row


def test_an_entry_tells_how_often_it_was_repeated() -> None:
    event = made("e", 1)
    assert event_of(Entry(PHONE, encode(event))) == event
    assert event_of(Entry(PHONE, encode(event), "60.a", 3)) == replace(event, repeat_count=3)


def test_a_header_is_found_and_one_that_is_not_there_is_none(partition: Partition) -> None:
    uid, gone = next(_uids), next(_uids)
    header = Header(summary=folded([made("e", 1)]))
    write(partition, {header_key(uid): header, header_key(gone): header})
    write(partition, {header_key(gone): None})
    assert (header_of(partition, uid), header_of(partition, gone), header_of(partition, next(_uids))) == (header, None, None)
    assert (events(header), events(Entry(PHONE, b"")), events(7)) == (1, 0, 0)


def test_ids_are_known_whatever_their_time(partition: Partition) -> None:
    uid = next(_uids)
    write(partition, {id_key(uid, EventId("a")): 0, id_key(uid, EventId("b|c")): 5, id_key(uid, EventId("gone")): 1})
    write(partition, {id_key(uid, EventId("gone")): None})
    asked = [EventId(name) for name in ("b|c", "b", "a", "gone")]
    assert known_of(partition, uid, asked) == ["b|c", "a"]


@settings(max_examples=80)
@given(stored=timelines(), gone=timelines(), window=windows(), limit=st.integers(1, 8))
def test_a_window_shows_exactly_what_lies_in_it(
    partition: Partition, stored: list[Event], gone: list[Event], window: Window, limit: int
) -> None:
    before, uid, behind = next(_uids), next(_uids), next(_uids)
    write(partition, entries(uid, gone) | dict.fromkeys(entries(uid, gone)))
    for neighbour in (before, behind):
        write(partition, entries(neighbour, [made("neighbour", 3)]))
    write(partition, entries(uid, stored))
    assert events_of(partition, uid, window, limit) == shown(stored, window, limit)


@settings(max_examples=40)
@given(stored=timelines(), late=timelines(), window=windows(), limit=st.integers(1, 4))
def test_a_walk_sees_each_event_once_while_others_arrive(
    partition: Partition, stored: list[Event], late: list[Event], window: Window, limit: int
) -> None:
    uid = next(_uids)
    write(partition, entries(uid, stored))
    found: list[Event] = []
    arriving = iter(late)
    for page in walk(partition, uid, window, limit):
        found += page
        write(partition, entries(uid, [event for event in (next(arriving, None),) if event is not None]))
    there = shown(stored, window, 100)
    assert found == sorted(found, key=place_of, reverse=window.descending)
    assert [event for event in found if event in stored] == there
    assert len({place_of(event) for event in found}) == len(found)


def test_deleted_entries_do_not_show_in_either_direction(partition: Partition) -> None:
    uid = next(_uids)
    all_events = [made(f"e{n}", n) for n in range(6)]
    write(partition, entries(uid, all_events))
    write(partition, dict.fromkeys(entries(uid, all_events[2:4])))
    left = [*all_events[:2], *all_events[4:]]
    assert events_of(partition, uid, Window(), 10) == left
    assert events_of(partition, uid, Window(descending=True), 10) == left[::-1]
    assert events_of(partition, uid, Window(), 3) == left[:3]


def test_of_many_events_at_one_moment_a_walk_sees_all_and_would_not_by_time_alone(
    partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = next(_uids)
    at_once = [made(f"e{n}", 1) for n in range(5)]
    write(partition, entries(uid, at_once))
    assert [e for page in walk(partition, uid, Window(), 2) for e in page] == at_once
    monkeypatch.setattr(journey, "entry_key", lambda uid, at, event_id: entry_key(uid, at + 1, EventId("")))
    assert [e for page in walk(partition, uid, Window(), 2) for e in page] == at_once[:2]
