"""Asks all the while, of every worker, about people who do not change: an answer is right, or it is 503, or nobody answers.

The gap of somebody is the longest time between two right answers about them, from whichever worker, with a refusal between.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from tests.real.crowd import Truth
from tests.real.system import System, Unreachable, Worker, path_of

PAUSE_SECONDS = 0.04
SHOWN = 3


class Prober:
    """`wrong` holds answers that were neither; `gaps` the longest silence about each person, in seconds."""

    def __init__(self, system: System, people: Sequence[Truth], workers: Callable[[], Sequence[Worker]]) -> None:
        self._system, self._people, self._workers = system, people, workers
        self.wrong: list[str] = []
        self.right = self.refused = 0
        self.gaps: dict[str, float] = {}
        self._silent_since: dict[str, float] = {}
        self._heard: dict[str, float] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Asks until the block is left."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()

    @property
    def gap(self) -> float:
        """The longest, in seconds."""
        return max(self.gaps.values(), default=0.0)

    async def calm(self, seconds_max: float, refused: int = 0) -> None:
        """Waits until so many answers were refused, and then everybody was answered about twice without another refusal."""
        end = time.monotonic() + seconds_max
        right, before, wanted = self.right, self.refused, self.refused + refused
        while self.refused < wanted or self.right < right + 2 * len(self._people):
            assert time.monotonic() < end, f"{self.refused} refusals, {self.right} answers, {self.wrong}"
            if self.refused > before:
                right, before = self.right, self.refused
            await asyncio.sleep(PAUSE_SECONDS)

    async def _run(self) -> None:
        number = 0
        while True:
            workers = [worker for worker in self._workers() if worker.alive]
            if workers:
                person = self._people[number % len(self._people)]
                await self._ask(person, workers[number // len(self._people) % len(workers)])
                number += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, person: Truth, worker: Worker) -> None:
        name = min(person.names)
        who = ":".join(name)
        try:
            async with asyncio.timeout(3):
                answer = await self._system.get(path_of("journeys", *name) + "?limit=1000", worker)
        except (Unreachable, TimeoutError):
            self._refuse(who)
            return
        if answer.status == 503:
            self._refuse(who)
        elif answer.status == 200 and [item["event_id"] for item in answer.body["items"]] == person.ids:
            self.right += 1
            self._hear(who)
        elif len(self.wrong) < SHOWN:
            self.wrong.append(f"{worker.name} said of {who}: {answer.status}, {str(answer.body)[:300]}")

    def _refuse(self, who: str) -> None:
        self.refused += 1
        self._silent_since.setdefault(who, self._heard.get(who, time.monotonic()))

    def _hear(self, who: str) -> None:
        now = self._heard[who] = time.monotonic()
        if (since := self._silent_since.pop(who, None)) is not None:
            self.gaps[who] = max(self.gaps.get(who, 0.0), now - since)
