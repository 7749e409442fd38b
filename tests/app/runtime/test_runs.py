"""The consumer: a fetch is a run, only what is finished is committed, a lane that was full is served when it has room."""

import asyncio
import inspect
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from aiokafka.errors import IllegalStateError, KafkaConnectionError
from faust.types import TP

from app.runtime.patience import BUSY_MS, Patience
from app.runtime.runs import Consumer, Run

ONE, OTHER, CHANGELOG = TP("inbox", 0), TP("inbox", 7), TP("changelog", 0)


class Thread:
    """The thread that talks to Kafka."""

    def __init__(self) -> None:
        self.sought: list[Any] = []
        self.committed: dict[TP, int | None] = {}
        self.gone: set[TP] = set()
        self.at = 100
        self.waiters: list[asyncio.Future[None]] = []
        self._fetcher = SimpleNamespace(_fetch_waiters=self.waiters, _notify=lambda waiter: waiter.set_result(None))
        self.thread_loop = SimpleNamespace(call_soon_threadsafe=lambda function, *arguments: function(*arguments))

    def _ensure_consumer(self) -> "Thread":
        return self

    async def call_thread(self, function: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        await function(*arguments)

    async def position(self, tp: TP) -> int:
        if tp in self.gone:
            raise IllegalStateError("not assigned")
        return self.at

    def seek(self, tp: TP, offset: int) -> None:
        self.sought.append((tp, offset))

    async def seek_to_committed(self) -> dict[TP, int | None]:
        return self.committed

    async def seek_to_beginning(self, *tps: TP) -> None:
        self.sought.append(tps)


class Begins:
    """Where topics begin."""

    at = 0
    away = False

    async def begins(self, tps: Iterable[TP]) -> dict[TP, int]:
        if self.away:
            raise KafkaConnectionError("no broker")
        return dict.fromkeys(tps, self.at)


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> Consumer:
    """A consumer whose fetches a test makes up, without Faust."""
    made = object.__new__(Consumer)
    app = SimpleNamespace(
        consumer_generation_id=3,
        tables=SimpleNamespace(changelog_topics={CHANGELOG.topic}),
        offsets=Begins(),
        expired=AsyncMock(),
        unread=lambda tp, committed: committed,
    )
    vars(made).update(
        app=app,
        flow_active=True,
        finished={},
        _sought={},
        _begun={ONE: 3, OTHER: 3},
        _again={},
        _pause=0.0,
        _patience=Patience(lambda: False),
        _thread=Thread(),
        _buffered_partitions=set(),
        _unacked_messages=set(),
        _waiting_for_ack=None,
        _committed_offset=defaultdict(lambda: None),
        log=SimpleNamespace(info=lambda *said: None, warning=lambda *said: None),
    )
    monkeypatch.setattr(Consumer, "should_stop", False)
    return made


def fetches(consumer: Consumer, records: dict[TP, list[Any]], active: set[TP] | None = None) -> None:
    async def fetch(timeout: float) -> Any:
        return records, active if active is not None else set(records)

    vars(consumer)["_wait_next_records"] = fetch


def records(*offsets: int) -> list[Any]:
    return [SimpleNamespace(offset=offset, timestamp=5_000, value=b"12345", key=None) for offset in offsets]


async def got(consumer: Consumer) -> list[tuple[TP, Run]]:
    return [item async for item in consumer.getmany(1.0)]


async def test_all_records_of_a_partition_are_one_run(consumer: Consumer) -> None:
    fetches(consumer, {ONE: records(4, 5, 6)})
    ((tp, run),) = await got(consumer)
    assert (tp, run.tp, run.offset, run.size, run.generation_id) == (ONE, ONE, 6, 15, 3)
    assert [record.offset for record in run.records] == [4, 5, 6]


async def test_a_paused_partition_is_left_out_but_one_that_is_only_full_is_not(consumer: Consumer) -> None:
    fetches(consumer, {ONE: records(1)}, active={CHANGELOG})
    assert await got(consumer) == []
    assert thread(consumer).sought == [(ONE, 1)]
    consumer._buffered_partitions.add(ONE)
    assert len(await got(consumer)) == 1


async def test_what_comes_while_partitions_move_is_put_back(consumer: Consumer) -> None:
    fetches(consumer, {ONE: records(4, 5), CHANGELOG: records(9)})
    consumer.flow_active = False
    assert await got(consumer) == []
    assert thread(consumer).sought == [(ONE, 4), (CHANGELOG, 9)]


async def test_a_partition_that_is_gone_keeps_no_other_from_being_put_back(consumer: Consumer) -> None:
    fetches(consumer, {ONE: records(4), OTHER: records(7)})
    consumer.flow_active, thread(consumer).gone = False, {ONE}
    assert await got(consumer) == []
    assert thread(consumer).sought == [(OTHER, 7)]


async def test_nothing_is_put_back_behind_a_later_seek(consumer: Consumer) -> None:
    fetches(consumer, {CHANGELOG: records(9)})
    consumer.flow_active, thread(consumer).at = False, 5
    assert await got(consumer) == []
    assert thread(consumer).sought == []


async def test_what_was_fetched_before_an_assignment_was_sought_waits_for_it(consumer: Consumer) -> None:
    consumer._begun.clear()
    fetches(consumer, {ONE: records(9), CHANGELOG: records(4)})
    assert [tp for tp, _ in await got(consumer)] == [CHANGELOG]
    assert thread(consumer).sought == [(ONE, 9)], "else it would wait for the records behind them"
    thread(consumer).committed = {ONE: 9}
    await consumer.seek_to_committed()
    assert [tp for tp, _ in await got(consumer)] == [ONE, CHANGELOG]


async def test_a_first_run_behind_what_is_committed_is_read_again_once(consumer: Consumer) -> None:
    consumer._begun.clear()
    thread(consumer).committed = {ONE: 7}
    await consumer.seek_to_committed()
    fetches(consumer, {ONE: records(9)})
    assert await got(consumer) == []
    assert thread(consumer).sought == [(ONE, 7)]
    ((_, run),) = await got(consumer)
    assert run.offset == 9
    fetches(consumer, {ONE: records(30)})
    assert len(await got(consumer)) == 1


async def test_the_first_run_of_each_assignment_is_judged(consumer: Consumer) -> None:
    thread(consumer).committed = {ONE: 7}
    consumer.app.consumer_generation_id = 4
    await consumer.seek_to_committed()
    fetches(consumer, {ONE: records(8)})
    assert await got(consumer) == []
    fetches(consumer, {ONE: records(7, 8)})
    assert len(await got(consumer)) == 1


async def test_a_partition_without_a_commit_is_read_from_the_beginning(consumer: Consumer) -> None:
    thread(consumer).committed = {ONE: None, TP("inbox", 1): 7, CHANGELOG: None}
    await consumer.seek_to_committed()
    assert thread(consumer).sought == [(ONE,)]


async def test_what_was_deleted_before_a_commit_was_reached_is_told_and_passed(consumer: Consumer) -> None:
    app: Any = consumer.app
    thread(consumer).committed, app.offsets.at = {ONE: 7}, 12
    await consumer.seek_to_committed()
    app.expired.assert_awaited_once_with(ONE, 7, 5)
    assert (consumer.sought(ONE, 3), consumer.position_of(ONE)) == (12, 12)


async def test_where_nothing_was_committed_all_that_is_there_from_now_on_is_ours(consumer: Consumer) -> None:
    app: Any = consumer.app
    thread(consumer).committed, app.offsets.at = {ONE: None}, 3
    await consumer.seek_to_committed()
    app.expired.assert_not_awaited()
    assert (consumer.sought(ONE, 3), list(consumer._filter_tps_with_pending_acks()), consumer._new_offset(ONE)) == (3, [ONE], 3)
    thread(consumer).committed, app.offsets.at = {ONE: 0}, 8
    await consumer.seek_to_committed()
    app.expired.assert_awaited_once_with(ONE, 0, 8)


@pytest.mark.parametrize(("begin", "told"), [(19, None), (20, None), (25, (ONE, 20, 5))])
async def test_where_commits_are_lost_the_rows_tell_what_was_deleted_before_it_was_handled(
    consumer: Consumer, begin: int, told: tuple[TP, int, int] | None
) -> None:
    app: Any = consumer.app
    app.unread = lambda tp, committed: 20
    thread(consumer).committed, app.offsets.at = {ONE: None}, begin
    await consumer.seek_to_committed()
    assert [call.args for call in app.expired.await_args_list] == ([] if told is None else [told])
    assert consumer.sought(ONE, 3) == begin


async def test_where_reading_began_is_known_for_the_assignment_it_began_in(consumer: Consumer) -> None:
    app: Any = consumer.app
    thread(consumer).committed, app.offsets.away = {ONE: 7}, True
    await consumer.seek_to_committed()
    assert (consumer.sought(ONE, 3), consumer.sought(ONE, 4), consumer.sought(TP("inbox", 1), 3)) == (7, None, None)


async def test_only_what_is_finished_is_committed(consumer: Consumer) -> None:
    fetches(consumer, {ONE: records(4, 5)})
    ((_, run),) = await got(consumer)
    consumer.begin(run)
    assert (list(consumer._filter_tps_with_pending_acks()), run in consumer._unacked_messages) == ([], True)
    consumer.finish(run)
    assert list(consumer._filter_tps_with_pending_acks()) == [ONE]
    assert (consumer._new_offset(ONE), consumer.position_of(ONE), run in consumer._unacked_messages) == (6, 6, False)


async def test_a_run_of_an_earlier_assignment_is_not_committed(consumer: Consumer) -> None:
    fetches(consumer, {ONE: records(4)})
    ((_, run),) = await got(consumer)
    consumer.app.consumer_generation_id = 4
    consumer.finish(run)
    assert (consumer.current(run), consumer.finished) == (False, {})


async def test_records_make_the_next_fetches_short(consumer: Consumer) -> None:
    fetches(consumer, {})
    await got(consumer)
    assert not hasattr(thread(consumer)._fetcher, "_fetch_max_wait_ms")
    fetches(consumer, {ONE: records(4)})
    await got(consumer)
    assert thread(consumer)._fetcher._fetch_max_wait_ms == BUSY_MS


async def test_what_waits_for_a_full_lane_is_looked_at_when_it_has_room(consumer: Consumer) -> None:
    thread(consumer).waiters.append(asyncio.get_running_loop().create_future())
    vars(consumer).update(_paused_partitions=set(), _active_partitions={OTHER})
    consumer.on_buffer_drop(ONE)
    assert not thread(consumer).waiters[0].done(), "it was not full"
    consumer._buffered_partitions.add(ONE)
    consumer.on_buffer_drop(ONE)
    assert thread(consumer).waiters[0].done()
    assert consumer._get_active_partitions() == {ONE, OTHER}


def thread(consumer: Consumer) -> Thread:
    made = vars(consumer)["_thread"]
    assert isinstance(made, Thread)
    return made


async def test_what_is_not_waited_for_is_closed(consumer: Consumer) -> None:
    async def answer() -> str:
        return "taken"

    async def fail() -> None:
        raise ValueError("it cannot be decoded")

    others = [asyncio.Event().wait() for _ in range(2)]
    await consumer.wait_first(answer(), others[0])
    with pytest.raises(ValueError, match="cannot be decoded"):
        await consumer.wait_first(fail(), others[1])
    assert [inspect.getcoroutinestate(other) for other in others] == [inspect.CORO_CLOSED] * 2
