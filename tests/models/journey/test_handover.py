"""A long journey is handed over without holding up anybody else: each message touches a bounded number of rows."""

from collections import deque

import pytest
from msgspec.structs import replace

from models.ids import EventId, IdentifierKey, UnifiedUserId
from models.journey import JourneyMessage, handle, sweep
from models.journey.messages import Slice
from models.journey.rows import Entry, Header, entry_key, header_key, id_key
from models.journey_messages import JourneyClosed, JourneySplit
from tests.models.journey.making import encode, made, placed
from tests.models.journey.shelf import Shelf, folded

EVENTS = 100_000
OLD, NEW = UnifiedUserId("u_younger"), UnifiedUserId("u_elder")
KEY = IdentifierKey("k")
ROWS_PER_MESSAGE_MAX = 3 * sweep.STEP_ENTRIES + 3


def test_a_journey_of_100_000_events_moves_in_small_steps_and_in_order() -> None:
    shelf = _long_journey(EVENTS)
    moving = deque[JourneyMessage]([JourneyClosed(OLD, NEW, {KEY: 1})])
    slices: list[int] = []
    order: list[bytes] = []
    while moving:
        message = moving.popleft()
        shelf.touched = 0
        moving += handle(message, shelf).messages
        assert shelf.touched <= ROWS_PER_MESSAGE_MAX
        if isinstance(message, Slice):
            order += [one.body for one in message.events]
            slices.append(sum(len(one.body) for one in message.events))
    assert max(slices) <= sweep.SLICE_BYTES
    assert len(slices) == EVENTS / sweep.STEP_ENTRIES + 1
    assert order == [entry.body for _, entry in shelf.entries(NEW)]
    header = shelf.known(NEW)
    assert (header.summary.events, header.done, header.sweep) == (EVENTS, (OLD,), None)
    assert shelf.header(OLD) == Header("moved", into=NEW, versions={KEY: 1}, sweeps=1)
    assert not shelf.entries(OLD)


def test_large_events_travel_in_slices_of_their_own() -> None:
    shelf = Shelf()
    for n in range(30):
        shelf.told(placed(OLD, made(f"e{n:02}", n, properties={"text": "x" * 30_000})))
    outcomes = shelf.told(JourneyClosed(OLD, NEW, {KEY: 1}))
    slices = [told for out in outcomes for told in out.messages if isinstance(told, Slice) and not told.last]
    assert [len(one.events) for one in slices] == [6, 6, 6, 6, 6]
    assert shelf.ids(NEW) == [f"e{n:02}" for n in range(30)]


def test_what_comes_in_between_the_leaving_ones_is_passed_over_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "STEP_ENTRIES", 2)
    shelf = Shelf()
    for at, key in ((0, "leaves"), (100, "leaves"), (200, "stays")):
        shelf.told(placed(OLD, made(f"e{at}", at), key))
    [sweep_on] = handle(JourneySplit(OLD, NEW, {IdentifierKey("leaves"): 1}), shelf).messages
    [leaving] = handle(sweep_on, shelf).messages
    for at in range(1, 20):
        shelf.told(placed(OLD, made(f"e{at}", at), "stays"))
    moving = deque(handle(leaving, shelf).messages)
    while moving:
        shelf.touched = 0
        moving += handle(moving.popleft(), shelf).messages
        assert shelf.touched <= 3 * 2 + 3
    header = shelf.known(OLD)
    assert [event.occurred_at for event in shelf.events(OLD)] == [*range(1, 20), 200]
    assert header.summary == folded(shelf.events(OLD))
    assert [event.occurred_at for event in shelf.events(NEW)] == [0, 100]


def _long_journey(events: int) -> Shelf:
    """As it lies there, without having been told of each event."""
    shelf, one = Shelf(), made("e", 0)
    for n in range(events):
        event = replace(one, event_id=EventId(f"e{n:06}"), occurred_at=n // 3)
        shelf.put(entry_key(OLD, event.occurred_at, event.event_id), Entry(KEY, encode(event)))
        shelf.put(id_key(OLD, event.event_id), event.occurred_at)
    shelf.put(header_key(OLD), Header())
    return shelf
