"""Lanes: batches in order, one in flight in each; nothing finished that did not succeed; lost runs are noticed."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from app.runtime import lanes as lanes_module
from app.runtime import room as room_module
from app.runtime.lanes import Lanes, Lost
from app.runtime.runs import Run

ONE, OTHER = TP("inbox", 0), TP("inbox", 1)


class FakeConsumer:
    """What lanes ask of a consumer."""

    def __init__(self) -> None:
        self.generation = 1
        self.begun: list[Run] = []
        self.finished: list[tuple[TP, int]] = []
        self.full: set[TP] = set()
        self.sought_at: int | None = None

    def sought(self, tp: TP, generation: int | None) -> int | None:
        return self.sought_at

    def current(self, run: Run) -> bool:
        return run.generation_id == self.generation

    def begin(self, run: Run) -> None:
        self.begun.append(run)

    def finish(self, run: Run) -> None:
        self.finished.append((run.tp, run.offset))

    def on_buffer_full(self, tp: TP) -> None:
        self.full.add(tp)

    def on_buffer_drop(self, tp: TP) -> None:
        self.full.discard(tp)


class Agent:
    """Lanes, fed and watched."""

    def __init__(self, dense: bool = True) -> None:
        self.consumer, self.queue = FakeConsumer(), asyncio.Queue[Any]()
        self.batches: list[tuple[TP, list[int]]] = []
        self.may_go = asyncio.Event()
        self.may_go.set()
        self.error: Exception | None = None
        self.begin = 0
        self.expired: list[tuple[TP, int, int]] = []
        offsets = SimpleNamespace(begins=self.begins)
        app: Any = SimpleNamespace(runs=self.consumer, offsets=offsets, expired=self.expire)
        self.lanes = Lanes(app, self.work, dense=dense)
        stream: Any = SimpleNamespace(channel=SimpleNamespace(queue=self.queue))
        self.task = asyncio.create_task(self.lanes(stream))

    async def begins(self, tps: list[TP]) -> dict[TP, int]:
        return dict.fromkeys(tps, self.begin)

    async def expire(self, tp: TP, offset: int, count: int) -> None:
        self.expired.append((tp, offset, count))

    async def work(self, tp: TP, records: list[Any]) -> None:
        self.batches.append((tp, [record.offset for record in records]))
        await self.may_go.wait()
        if self.error is not None:
            raise self.error

    def come(self, *runs: Run) -> None:
        for one in runs:
            self.queue.put_nowait(SimpleNamespace(message=one))

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    made = Agent()
    yield made
    made.task.cancel()


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What the process would have ended of."""
    died: list[BaseException] = []
    monkeypatch.setattr(lanes_module, "die", died.append)
    return died


def run(first: int, count: int = 1, tp: TP = ONE, generation: int = 1, size: int = 10) -> Run:
    made = Run(tp.topic, tp.partition, first + count - 1, 0.0, 0, None, None, b"", None, 0, 0, tp, generation_id=generation)
    made.records, made.size = [SimpleNamespace(offset=first + n) for n in range(count)], size
    return made


async def test_what_came_meanwhile_is_the_next_batch(agent: Agent) -> None:
    agent.may_go.clear()
    agent.come(run(0))
    await agent.settle()
    agent.come(run(1, 2), run(3))
    await agent.settle()
    assert agent.batches == [(ONE, [0])]
    agent.may_go.set()
    await agent.settle()
    assert agent.batches == [(ONE, [0]), (ONE, [1, 2, 3])]
    assert agent.consumer.finished == [(ONE, 0), (ONE, 2), (ONE, 3)]
    assert not agent.lanes.busy


async def test_partitions_do_not_wait_for_each_other(agent: Agent) -> None:
    agent.may_go.clear()
    agent.come(run(0), run(0, tp=OTHER))
    await agent.settle()
    assert agent.lanes.busy == {ONE, OTHER}
    assert [tp for tp, _ in agent.batches] == [ONE, OTHER]


async def test_a_run_of_an_earlier_assignment_is_left_out_and_its_successors_are_not(agent: Agent) -> None:
    agent.may_go.clear()
    agent.come(run(0))
    await agent.settle()
    agent.come(run(1), run(0, generation=2), run(1, generation=2))
    await agent.settle()
    agent.consumer.generation = 2
    agent.may_go.set()
    await agent.settle()
    assert agent.batches == [(ONE, [0]), (ONE, [0, 1])]


async def test_a_missing_offset_ends_the_process(agent: Agent, deaths: list[BaseException]) -> None:
    agent.come(run(0), run(2))
    await agent.settle()
    assert [type(death) for death in deaths] == [Lost]
    assert agent.consumer.finished == []


async def test_a_first_run_that_does_not_follow_what_was_committed_ends_the_process(
    agent: Agent, deaths: list[BaseException]
) -> None:
    agent.consumer.sought_at = 4
    agent.come(run(5))
    await agent.settle()
    assert [type(death) for death in deaths] == [Lost]
    assert agent.consumer.finished == []


async def test_a_first_run_that_follows_it_or_comes_again_is_good(agent: Agent, deaths: list[BaseException]) -> None:
    agent.consumer.sought_at = 4
    agent.come(run(4), run(2, tp=OTHER))
    await agent.settle()
    assert (deaths, agent.consumer.finished) == ([], [(ONE, 4), (OTHER, 2)])


@pytest.mark.parametrize("dense", [True, False])
async def test_what_was_deleted_unread_is_told_and_the_rest_goes_on(deaths: list[BaseException], dense: bool) -> None:
    agent = Agent(dense)
    agent.begin = 7
    agent.come(run(0), run(7))
    await agent.settle()
    assert (deaths, agent.expired) == ([], [(ONE, 1, 6)])
    assert agent.consumer.finished == [(ONE, 0), (ONE, 7)]
    agent.task.cancel()


async def test_what_is_missing_behind_what_was_deleted_is_lost(agent: Agent, deaths: list[BaseException]) -> None:
    agent.begin = 5
    agent.come(run(0), run(7))
    await agent.settle()
    assert (agent.expired, [type(death) for death in deaths]) == ([(ONE, 1, 4)], [Lost])


async def test_offsets_that_come_again_are_no_loss(agent: Agent, deaths: list[BaseException]) -> None:
    agent.come(run(0, 3))
    await agent.settle()
    agent.come(run(0, 2), run(2, 3))
    await agent.settle()
    assert (deaths, agent.consumer.finished) == ([], [(ONE, 2), (ONE, 1), (ONE, 4)])


async def test_a_topic_of_others_may_have_gaps(deaths: list[BaseException]) -> None:
    agent = Agent(dense=False)
    agent.come(run(0), run(7))
    await agent.settle()
    assert (deaths, agent.consumer.finished) == ([], [(ONE, 0), (ONE, 7)])
    agent.task.cancel()


async def test_a_batch_that_fails_ends_the_process_unfinished(agent: Agent, deaths: list[BaseException]) -> None:
    agent.error = OSError("no broker")
    agent.come(run(0))
    await agent.settle()
    assert (deaths, agent.consumer.finished) == ([agent.error], [])


async def test_a_full_lane_pauses_its_partition_until_it_is_empty(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "WAITING_BYTES", 100)
    agent.may_go.clear()
    agent.come(run(0), run(0, tp=OTHER))
    await agent.settle()
    agent.come(*(run(n, size=60) for n in range(1, 4)), run(1, tp=OTHER))
    await agent.settle()
    assert agent.consumer.full == {ONE}
    agent.may_go.set()
    await agent.settle()
    assert agent.consumer.full == set()


async def test_few_large_batches_are_in_flight_and_any_number_of_small_ones(agent: Agent) -> None:
    agent.may_go.clear()
    agent.come(*(run(0, tp=TP("inbox", n), size=lanes_module.LARGE_BYTES) for n in range(4)))
    agent.come(*(run(0, tp=TP("inbox", n), size=lanes_module.LARGE_BYTES - 1) for n in range(4, 8)))
    await agent.settle()
    assert sorted(tp.partition for tp, _ in agent.batches) == [0, 1, 4, 5, 6, 7]
    assert len(agent.consumer.begun) == 6, "a rebalance waits for what has begun, not for what waits"
    agent.may_go.set()
    await agent.settle()
    assert sorted(tp.partition for tp, _ in agent.batches) == list(range(8))
    assert len(agent.consumer.finished) == 8


async def test_a_large_batch_that_takes_long_gives_its_place_away_once(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "STAY_SECONDS", 0)
    agent.may_go.clear()
    agent.come(*(run(0, tp=TP("inbox", n), size=lanes_module.LARGE_BYTES) for n in range(5)))
    await agent.settle()
    assert len(agent.batches) == 5
    monkeypatch.setattr(room_module, "STAY_SECONDS", 60)
    agent.may_go.set()
    await agent.settle()
    agent.may_go.clear()
    agent.come(*(run(1, tp=TP("inbox", n), size=lanes_module.LARGE_BYTES) for n in range(5)))
    await agent.settle()
    assert len(agent.batches) == 5 + lanes_module.LARGE_AT_ONCE


async def test_what_waited_for_room_is_left_out_when_its_assignment_has_passed(agent: Agent) -> None:
    agent.may_go.clear()
    agent.come(*(run(0, tp=TP("inbox", n), size=lanes_module.LARGE_BYTES) for n in range(3)))
    await agent.settle()
    agent.consumer.generation = 2
    agent.come(run(0, tp=TP("inbox", 2), generation=2))
    agent.may_go.set()
    await agent.settle()
    assert [(one.partition, one.generation_id) for one in agent.consumer.begun] == [(0, 1), (1, 1), (2, 2)]


async def test_batches_are_bounded(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "BATCH_RECORDS", 4)
    agent.come(*(run(2 * n, 2) for n in range(4)))
    await agent.settle()
    assert [len(offsets) for _, offsets in agent.batches] == [4, 4]


async def test_an_agent_that_is_told_to_stop_returns(agent: Agent) -> None:
    class Closed:
        async def get(self) -> Any:
            raise StopAsyncIteration

    stream: Any = SimpleNamespace(channel=SimpleNamespace(queue=Closed()))
    await agent.lanes(stream)
