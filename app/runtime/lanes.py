"""Lanes: runs that wait, a lane per partition, one batch in flight in each; all that arrived meanwhile is the next batch.

One agent reads one queue for all its partitions; Faust's `isolated_partitions` and `take` are not used, since both lose
runs in a rebalance. A run of an earlier assignment is left out alone: its successors may be good. Offsets are missing either
because retention deleted records that nobody had read, which is told, or, in a dense topic (an inbox that only we write), because
a run was lost: then the process ends rather than skip it. The first run of an assignment must follow what was committed.
One that comes again, as after a seek at the end of a recovery, does no harm.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from faust.types import TP, StreamT

from app.runtime.app import App
from app.runtime.durable import die
from app.runtime.room import Room
from app.runtime.runs import Run

Work = Callable[[TP, list[Any]], Awaitable[None]]

BATCH_BYTES = 500_000
BATCH_RECORDS = 4_000
WAITING_BYTES = 2_000_000
"""Beyond this a partition's fetching pauses."""
LARGE_BYTES = 50_000
LARGE_AT_ONCE = 2
"""Large batches of an agent in flight: while one waits for Kafka the other is handled, and a third would only take memory."""


def lane_name(tp: TP) -> str:
    """The name of the task that drains a partition's lane."""
    return f"lane {tp.topic}/{tp.partition}"


class Lost(Exception):
    """Records of an inbox were skipped."""


class Lanes:
    """The loop of an agent: takes runs off its stream, hands batches to `work`, finishes them."""

    def __init__(self, app: App, work: Work, *, dense: bool) -> None:
        self._app, self._work, self._dense = app, work, dense
        self._waiting: dict[TP, list[Run]] = {}
        self._next: dict[TP, tuple[int, int | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._large = Room(LARGE_AT_ONCE)

    @property
    def busy(self) -> set[TP]:
        """The partitions that have a batch in flight."""
        return set(self._waiting)

    async def __call__(self, stream: StreamT[Any]) -> None:
        """Reads until the agent is told to stop."""
        queue: Any = stream.channel.queue  # type: ignore[attr-defined]  # Faust types the channel as any iterator
        while True:
            try:
                run = (await queue.get()).message
            except StopAsyncIteration:
                return
            self._enter(run)

    def _enter(self, run: Run) -> None:
        lane = self._waiting.get(run.tp)
        if lane is None:
            lane = self._waiting[run.tp] = []
            task = asyncio.get_running_loop().create_task(self._drain(run.tp, lane), name=lane_name(run.tp))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        lane.append(run)
        if sum(r.size for r in lane) > WAITING_BYTES:
            self._app.runs.on_buffer_full(run.tp)

    async def _drain(self, tp: TP, lane: list[Run]) -> None:
        try:
            while lane:
                async with self._room(lane):
                    await self._handle(tp, await self._take(tp, lane))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # broken surroundings: end without finishing, a restart repeats
            die(error)
        finally:
            del self._waiting[tp]

    async def _handle(self, tp: TP, runs: list[Run]) -> None:
        consumer = self._app.runs
        for run in runs:
            consumer.begin(run)
        if runs:
            await self._work(tp, [record for run in runs for record in run.records])
        for run in runs:
            consumer.finish(run)

    def _room(self, lane: list[Run]) -> AbstractAsyncContextManager[None]:
        """What the next batch of a lane has to wait for: nothing, unless it is large."""
        return self._large.stay() if sum(run.size for run in lane) >= LARGE_BYTES else nullcontext()

    async def _take(self, tp: TP, lane: list[Run]) -> list[Run]:
        """The next batch of a lane, without runs of an earlier assignment."""
        consumer = self._app.runs
        runs, size, count = [], 0, 0
        while lane and size < BATCH_BYTES and count < BATCH_RECORDS:
            run = lane.pop(0)
            if consumer.current(run):
                await self._follow(run)
                runs.append(run)
                size += run.size
                count += len(run.records)
        if not lane:
            consumer.on_buffer_drop(tp)
        return runs

    async def _follow(self, run: Run) -> None:
        generation, expected = self._next.get(run.tp, (-1, None))
        if generation != run.generation_id:
            expected = self._app.runs.sought(run.tp, run.generation_id)
        first = run.records[0].offset
        if expected is not None and first > expected:
            await self._explain(run.tp, expected, first)
        self._next[run.tp] = run.generation_id or 0, run.offset + 1

    async def _explain(self, tp: TP, expected: int, first: int) -> None:
        """Tells of records that were deleted unread. Lost: others are missing, where none may be."""
        begin = min((await self._app.offsets.begins([tp]))[tp], first)
        if begin > expected:
            await self._app.expired(tp, expected, begin - expected)
        if self._dense and first > max(begin, expected):
            raise Lost(f"{tp.topic}/{tp.partition}: expected offset {expected}, got {first}")
