"""Whatever dies, nothing that was acknowledged is lost, doubled or given to the wrong person."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from app.broker import Broker
from tests.real.crowd import Behaviour, Crowd, truth
from tests.real.judge import differences, wrong_answers
from tests.real.system import System, Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

SESSION_SECONDS = 10
"""After so long without a sign of life a worker's partitions go to others (app/instance.py)."""
RATE = 400


class Load:
    """Behaviour that is told all the while; `told` is what was acknowledged or is under way."""

    def __init__(self, system: System, crowd: Crowd) -> None:
        self._system, self._crowd = system, crowd
        self.told: list[Behaviour] = []
        self._stop = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tells until the block is left; then all of it is acknowledged."""
        self._stop = False
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._stop = True
            await task

    async def _run(self) -> None:
        while not self._stop:
            events = self._crowd.events(RATE // 4)
            self.told += events
            await self._system.tell(events, rate=RATE)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with System.run(broker.bootstrap, "faults", tmp_path_factory.mktemp("faults")) as running:
        await running.started()
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def load(system: System) -> Load:
    return Load(system, Crowd(seed=7, people=60))


async def test_a_lone_worker_may_be_killed_at_any_moment(system: System, load: Load) -> None:
    chance = random.Random(7)
    worker = system.workers[0]
    async with load.running():
        for loses_its_disk in (False, True, False):
            await asyncio.sleep(chance.uniform(0.5, 2.5))
            worker.kill()
            if loses_its_disk:
                worker.wipe()
            worker.start()
            await system.ready(worker)
    await system.settled()
    assert await differences(system, truth(load.told)) == []


async def test_a_worker_outlives_its_broker(system: System, load: Load, broker: Broker) -> None:
    worker = system.workers[0]
    starts = worker.starts
    async with load.running():
        await asyncio.sleep(1)
        broker.kill()
        await asyncio.sleep(2)
        broker.start()
        await asyncio.sleep(1)
    await system.settled()
    assert worker.starts == starts
    assert await differences(system, truth(load.told)) == []
