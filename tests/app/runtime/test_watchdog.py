"""Who has work and finishes none of it is stuck, and it is said what for; who waits for Kafka is not."""

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from app.runtime.durable import Producer
from app.runtime.lanes import lane_name
from app.runtime.room import Room
from app.runtime.watchdog import LOOK_SECONDS, MOVING, Standing, Watch, Watchdog, said

ONE, OTHER = TP("inbox", 0), TP("inbox", 1)


def test_a_partition_with_work_that_stands_still_is_stuck_after_so_many_looks() -> None:
    watch = Watch(looks=2)
    assert [watch.look({ONE: Standing(3, 5)}) for _ in range(3)] == [[], [], [ONE]]


def test_one_that_moves_or_has_nothing_to_do_is_not() -> None:
    watch = Watch(looks=1)
    for finished in range(5):
        assert watch.look({ONE: Standing(finished, 9), OTHER: Standing(7, 7)}) == []


def test_work_that_comes_late_is_given_its_time() -> None:
    watch = Watch(looks=2)
    for _ in range(9):
        watch.look({ONE: Standing(3, 3)})
    assert [watch.look({ONE: Standing(3, 4)}) for _ in range(3)] == [[], [], [ONE]]


def test_a_partition_that_went_and_came_back_begins_anew() -> None:
    watch = Watch(looks=1)
    watch.look({ONE: Standing(3, 4)})
    watch.look({})
    assert watch.look({ONE: Standing(3, 4)}) == []


class Kafka:
    """Where one partition stands, while it can be asked."""

    def __init__(self) -> None:
        self.standing, self.away = Standing(3, 5), False

    async def standings(self) -> Mapping[TP, Standing]:
        if self.away:
            raise KafkaConnectionError("no broker")
        return {ONE: self.standing}


async def test_an_outage_of_kafka_is_no_fault_however_long() -> None:
    kafka, ends = Kafka(), list[str]()
    dog = Watchdog(3 * LOOK_SECONDS, kafka.standings, ends.append)
    for round_ in range(40):
        kafka.away = round_ % 3 != 0
        await dog.look()
    assert ends == []
    kafka.away = False
    for _ in range(3):
        await dog.look()
    assert ends == ["inbox/0 stands at 3 of 5; its lane is empty, it waits for the consumer to bring records"]


async def test_what_a_lane_waits_for_is_said() -> None:
    producer, waits = object.__new__(Producer), asyncio.Event()

    class Client:
        def create_batch(self) -> "Client":
            return self

        def close(self) -> None:
            return None

        async def send_batch(self, *_: object, **__: object) -> object:
            waits.set()
            return asyncio.get_running_loop().create_future()

    vars(producer).update(_ensure_producer=Client)
    task = asyncio.create_task(producer.append("changelog", 0, [], -1), name=lane_name(ONE))
    await waits.wait()
    await asyncio.sleep(0)
    assert said(ONE, Standing(3, 5)).endswith("its lane waits for the changelog: Kafka has not acknowledged the rows")
    assert "on the move" in said(MOVING, Standing(0, 1))
    task.cancel()


async def test_a_lane_that_waits_for_others_of_its_agent_is_not_stuck() -> None:
    room, ends = Room(1), list[str]()
    dog = Watchdog(LOOK_SECONDS, Kafka().standings, ends.append)

    async def drain() -> None:
        async with room.stay():
            await asyncio.Event().wait()

    first = asyncio.create_task(drain(), name="another lane")
    await asyncio.sleep(0)
    lane = asyncio.create_task(drain(), name=lane_name(ONE))
    await asyncio.sleep(0)
    for _ in range(5):
        await dog.look()
    assert ends == []
    first.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await dog.look()
    assert ends == ["inbox/0 stands at 3 of 5; its lane waits for Event.wait"]
    lane.cancel()


class Enough(Exception):
    """The thread has looked often enough."""


def test_a_loop_that_does_not_run_is_noticed_from_a_thread() -> None:
    ends: list[str] = []
    dog = Watchdog(2 * LOOK_SECONDS, Kafka().standings, ends.append)
    looks = iter(range(4))

    def sleep(seconds: float) -> None:
        assert seconds == LOOK_SECONDS
        if next(looks) == 3:
            raise Enough

    loop = asyncio.new_event_loop()
    with pytest.raises(Enough):
        dog.guard(loop, sleep)
    loop.close()
    assert [end.startswith("the event loop waits in ") for end in ends] == [True]
