"""What is under way together concerns different persons, or is nothing new; and topics are read as one log."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from app.rebuild.order import Order
from app.rebuild.source import in_order
from tests.oracle import components

SHOWN = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=3, unique=True), max_size=30)


def test_another_person_need_not_wait() -> None:
    order = Order()
    assert [order.admits(keys) for keys in (["a", "b"], ["c"], ["d", "e"])] == [True, True, True]


def test_something_new_about_the_same_person_waits() -> None:
    order = Order()
    assert [order.admits(keys) for keys in (["a", "b"], ["b", "c"])] == [True, False]
    order.arrived()
    assert order.admits(["b", "c"])


def test_what_is_known_already_does_not_wait() -> None:
    order = Order()
    assert [order.admits(["a", "b"]) for _ in range(3)] == [True, True, True]


def test_whoever_was_ever_shown_together_may_be_one_person() -> None:
    order = Order()
    for keys in (["a", "b"], ["b", "c"]):
        order.arrived()
        assert order.admits(keys)
    order.arrived()
    assert [order.admits(keys) for keys in (["a", "d"], ["c", "e"])] == [True, False]


@given(SHOWN)
def test_new_things_under_way_touch_different_persons(shown: list[list[str]]) -> None:
    order, under_way, known = Order(), list[list[str]](), set[tuple[str, ...]]()
    for keys in shown:
        if not order.admits(keys):
            order.arrived()
            under_way = []
            assert order.admits(keys)
        if tuple(keys) not in known:
            under_way.append(keys)
        known.add(tuple(keys))
        persons = components("abcdefgh", [(one[0], other) for one in known for other in one[1:]])
        touched = [person for one in under_way for person in persons if one[0] in person]
        assert len(touched) == len(set(touched))


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int


class Partition(NamedTuple):
    topic: str
    partition: int


class Consumer:
    """Partitions of records, read a few at a time."""

    def __init__(self, records: dict[Partition, list[Record]]) -> None:
        self._records, self._next = records, dict.fromkeys(records, 0)

    async def position(self, tp: Partition) -> int:
        return self._next[tp]

    async def getmany(self, tp: Partition, timeout_ms: int, max_records: int) -> dict[Any, Sequence[Record]]:
        first = self._next[tp]
        self._next[tp] = min(first + 3, len(self._records[tp]))
        return {tp: self._records[tp][first : self._next[tp]]}


@given(st.integers())
def test_the_records_of_all_topics_come_in_the_order_of_the_log(seed: int) -> None:
    chance = random.Random(seed)
    partitions = [Partition(topic, n) for topic in ("a", "b") for n in range(2)]
    records = {
        tp: [Record(*tp, offset, at) for offset, at in enumerate(sorted(chance.choices(range(20), k=chance.randint(0, 12))))]
        for tp in partitions
    }

    async def read() -> list[Record]:
        ends = {tp: len(held) for tp, held in records.items()}
        return [record async for record in in_order(Consumer(records), ends)]

    found = asyncio.run(read())
    wanted = [record for held in records.values() for record in held]
    assert found == sorted(wanted, key=lambda record: (record.timestamp, record.topic, record.partition, record.offset))
