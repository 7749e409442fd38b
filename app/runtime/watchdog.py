"""Ends a worker that has work and makes no progress, and says in one line what it waits for.

Two watches. The *loop's* asks every few seconds which partitions have records that are not finished; one whose position stays
where it is for `patience` is stuck. It counts only while Kafka is well (it answers, and every partition that matters has a
leader and enough copies in step): during an outage, however long, waiting is right. The *thread's* sees whether the loop runs at
all. Both count their own looks, not the clock: a process that was stopped, and a clock that jumped, look like no time at all.
"""

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, NoReturn

from aiokafka.errors import KafkaError
from faust.types import TP

from app.runtime.durable import EXIT_STUCK
from app.runtime.lanes import lane_name

LOOK_SECONDS = 2.0
ANSWER_SECONDS_MAX = 5.0
WAITS = {
    "Producer.append": "the changelog: Kafka has not acknowledged the rows",
    "Producer.publish": "the producer: Kafka has not acknowledged what it sent",
    "Offsets.ends": "the broker: it was asked where the changelog ends",
}
"""Where a lane may wait, and in words for whom."""
IN_LINE = "Stay.__aenter__"
"""Where a lane waits until others of its agent give room; they do, so only those may be stuck."""
MOVING = TP("partitions", -1)
"""Stands for all partitions, while they are taken over or read back."""


class Standing(NamedTuple):
    """How far a partition is: what is finished, and what there is. Equal = nothing to do."""

    finished: int
    end: int


class Watch:
    """Which partitions have work and do not move, by looks. Knows no clock and no Kafka."""

    def __init__(self, looks: int) -> None:
        self._looks = looks
        self._seen: dict[TP, tuple[int, int]] = {}

    def look(self, standings: Mapping[TP, Standing]) -> list[TP]:
        """Partitions that had work at every one of the last looks, and finished none of it."""
        seen: dict[TP, tuple[int, int]] = {}
        for tp, (finished, end) in standings.items():
            if finished < end:
                before, count = self._seen.get(tp, (-1, 0))
                seen[tp] = finished, count + 1 if finished == before else 0
        self._seen = seen
        return [tp for tp, (_, count) in seen.items() if count >= self._looks]

    def forgive(self) -> None:
        """Begins anew: what was seen so far was not the worker's fault."""
        self._seen.clear()


Standings = Callable[[], Awaitable[Mapping[TP, Standing]]]
"""How far all partitions are; raises KafkaError or TimeoutError while Kafka is not well."""


class Watchdog:
    """Watches one worker. `patience` in seconds; `standings` is asked in the worker's own loop."""

    def __init__(self, patience: float, standings: Standings, end: Callable[[str], Any]) -> None:
        self._looks = max(1, round(patience / LOOK_SECONDS))
        self._standings, self._end = standings, end
        self._watch = Watch(self._looks)
        self._beats = 0
        self._rests = False

    async def look(self) -> None:
        """One look; ends the process when a partition is stuck."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                standings = await self._standings()
        except (KafkaError, TimeoutError):
            self._watch.forgive()
            return
        if stuck := [tp for tp in self._watch.look(standings) if not is_in_line(tp)]:
            first = min(stuck)
            others = f" ({len(stuck) - 1} more are stuck too)" if len(stuck) > 1 else ""
            self._end(f"{said(first, standings[first])}{others}")

    def rest(self) -> None:
        """The worker ends by itself, which may take its time."""
        self._rests = True

    def _beat(self) -> None:
        self._beats += 1

    def guard(self, loop: asyncio.AbstractEventLoop, sleep: Callable[[float], None] = time.sleep) -> None:
        """For a thread of its own: ends the process when the loop does not answer for too long."""
        main, beats, count = threading.main_thread().ident, -1, 0
        while not self._rests and not loop.is_closed():
            loop.call_soon_threadsafe(self._beat)
            sleep(LOOK_SECONDS)
            beats, count = self._beats, count + 1 if beats == self._beats else 0
            if count >= self._looks and not self._rests:
                self._end(f"the event loop waits in {_place(main)}")


def end(why: str) -> NoReturn:
    """Ends the process; its supervisor starts it again, and it repeats from what is durable."""
    sys.stderr.write(f"worker ends, it makes no progress: {why}\n")
    sys.stderr.flush()
    os._exit(EXIT_STUCK)


def said(tp: TP, standing: Standing) -> str:
    """What a partition waits for."""
    if tp == MOVING:
        return "its partitions are on the move; it waits for its group, or for changelogs to be read"
    behind = f"{tp.topic}/{tp.partition} stands at {standing.finished} of {standing.end}"
    task = _lane(tp)
    if task is None:
        return f"{behind}; its lane is empty, it waits for the consumer to bring records"
    return f"{behind}; its lane waits for {waiting(task)}"


def is_in_line(tp: TP) -> bool:
    """Whether the lane of a partition waits for others of its agent."""
    task = _lane(tp)
    return task is not None and IN_LINE in _calls(task)


def waiting(task: asyncio.Task[Any]) -> str:
    """What the innermost call of ours, in a task that is suspended, stands for."""
    names = _calls(task)
    return next((WAITS[name] for name in reversed(names) if name in WAITS), names[-1] if names else "nothing known")


def _lane(tp: TP) -> asyncio.Task[Any] | None:
    return next((task for task in asyncio.all_tasks() if task.get_name() == lane_name(tp)), None)


def _calls(task: asyncio.Task[Any]) -> list[str]:
    """The calls in which a suspended task is, the innermost last."""
    names: list[str] = []
    inner: Any = task.get_coro()
    while inner is not None:
        if code := getattr(inner, "cr_code", None):
            names.append(code.co_qualname)
        inner = getattr(inner, "cr_await", None)
    return names


def _place(thread: int | None) -> str:
    """The line that a thread is at."""
    frame = sys._current_frames().get(thread or 0)
    if frame is None:
        return "nowhere"
    last = traceback.extract_stack(frame)[-1]
    return f"{last.name} ({last.filename}:{last.lineno})"
