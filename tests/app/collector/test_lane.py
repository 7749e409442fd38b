"""A lane: what waits becomes one batch, and an outage is told at once."""

import asyncio
from collections.abc import Sequence

import pytest

from app.collector import lane as lanes
from app.collector.lane import BATCH_BYTES, Lane, Load, Overdue, Unavailable
from app.runtime.durable import Record


class Wire:
    """Kafka, which acknowledges when it is told to."""

    def __init__(self) -> None:
        self.sent: list[list[bytes | None]] = []
        self.acknowledge = asyncio.Event()
        self.fault: Unavailable | None = None

    async def __call__(self, topic: str, records: Sequence[Record]) -> None:
        self.sent.append([record.value for record in records])
        await self.acknowledge.wait()
        if self.fault is not None:
            raise self.fault


def load(text: str, size: int = 1) -> Load:
    return Load([Record("t", None, text.encode())], size)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_arrives_while_a_batch_is_under_way_is_the_next_batch() -> None:
    wire = Wire()
    lane = Lane("t", wire)
    lane.put(load("a"))
    await settled()
    rest = [load("b"), load("c")]
    for one in rest:
        lane.put(one)
    wire.acknowledge.set()
    await asyncio.gather(*(one.acknowledged for one in rest))
    assert wire.sent == [[b"a"], [b"b", b"c"]]


async def test_a_batch_has_at_most_its_bytes() -> None:
    wire = Wire()
    wire.acknowledge.set()
    lane = Lane("t", wire)
    last = load("c")
    for one in (load("a", BATCH_BYTES), load("b", BATCH_BYTES), last):
        lane.put(one)
    await last.acknowledged
    assert wire.sent == [[b"a"], [b"b"], [b"c"]]


async def test_what_was_given_up_before_it_left_is_not_sent() -> None:
    wire = Wire()
    lane = Lane("t", wire)
    lane.put(load("a"))
    await settled()
    given_up, kept = load("b"), load("c")
    lane.put(given_up)
    lane.put(kept)
    given_up.give_up()
    wire.acknowledge.set()
    await kept.acknowledged
    assert wire.sent == [[b"a"], [b"c"]]


async def test_a_refused_batch_is_told_to_all_of_it_and_the_lane_goes_on() -> None:
    wire = Wire()
    wire.acknowledge.set()
    wire.fault = Unavailable("no")
    lane = Lane("t", wire)
    refused = load("a")
    lane.put(refused)
    with pytest.raises(Unavailable):
        await refused.acknowledged
    wire.fault = None
    taken = load("b")
    lane.put(taken)
    await taken.acknowledged


async def test_a_fault_of_ours_is_told_too_and_the_lane_goes_on() -> None:
    faults = [ZeroDivisionError()]

    async def send(topic: str, records: Sequence[Record]) -> None:
        if faults:
            raise faults.pop()

    lane = Lane("t", send)
    refused = load("a")
    lane.put(refused)
    with pytest.raises(Unavailable):
        await refused.acknowledged
    await settled()
    taken = load("b")
    lane.put(taken)
    await taken.acknowledged


async def test_while_a_batch_is_overdue_nothing_more_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "ACK_SECONDS_MAX", 0.25)
    wire = Wire()
    lane = Lane("t", wire)
    lane.put(load("a"))
    await asyncio.sleep(0.5)
    assert lane.stuck
    with pytest.raises(Unavailable):
        lane.put(load("b"))
    wire.acknowledge.set()
    await settled()
    again = load("c")
    lane.put(again)
    await again.acknowledged


async def test_a_load_that_is_not_acknowledged_in_time_is_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "ACK_SECONDS_MAX", 0.01)
    waiting = load("a")
    with pytest.raises(Overdue):
        await asyncio.wait_for(waiting.acknowledged, 5)


async def test_a_load_that_was_acknowledged_is_never_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "ACK_SECONDS_MAX", 0.25)
    wire = Wire()
    wire.acknowledge.set()
    taken = load("a")
    Lane("t", wire).put(taken)
    await asyncio.sleep(0.5)
    await taken.acknowledged
