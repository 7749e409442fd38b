"""Whatever dies, nothing that was acknowledged is lost, doubled or given to the wrong person."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from app.broker import Broker
from tests.real.crowd import Crowd, truth
from tests.real.judge import differences, wrong_answers
from tests.real.load import Load
from tests.real.regroup import SESSION_SECONDS, regrouped
from tests.real.system import System, Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOVED_SECONDS_MAX = 90.0


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(own_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Two workers, started at the same moment, before there is any topic."""
    async with System.run(own_broker.bootstrap, "faults", tmp_path_factory.mktemp("faults")) as running:
        for worker in (running.worker(), running.worker()):
            worker.start()
        await shared(running)
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def load(system: System) -> Load:
    return Load(system, Crowd(seed=7, people=60))


async def shared(system: System) -> None:
    """Brings the system to two workers that own something each."""
    for worker in system.workers:
        if not worker.alive:
            worker.start()
    await until(system, lambda owned: len(owned) == len(system.workers) and all(owned))


async def alone(system: System) -> Worker:
    """Brings the system to one worker that owns everything."""
    first, *others = system.workers
    for worker in others:
        if worker.alive:
            worker.kill()
    await until(system, lambda owned: len(owned) == 1)
    return first


async def until(system: System, is_reached: Callable[[list[list[int]]], bool]) -> None:
    """Waits until all is settled, with the partitions of each worker as is wanted."""
    end = time.monotonic() + MOVED_SECONDS_MAX
    while not is_reached([worker["partitions"] for worker in (await system.settled())["workers"]]):
        assert time.monotonic() < end, "the partitions did not move"
        await asyncio.sleep(0.2)


async def test_either_of_two_workers_gives_the_same_right_answers(system: System, load: Load) -> None:
    async with load.running():
        await asyncio.sleep(2)
    await system.settled()
    for worker in system.workers:
        assert await differences(system, truth(load.told), worker) == []


async def test_while_a_killed_worker_is_missed_an_answer_is_right_or_503(system: System, load: Load) -> None:
    await shared(system)
    people = truth(load.told)
    stays, goes = system.workers
    goes.kill()
    end = time.monotonic() + MOVED_SECONDS_MAX
    unanswered: list[int] = []
    while not unanswered or unanswered[-1]:
        wrong, refused = await wrong_answers(system, people, stays)
        unanswered.append(refused)
        assert wrong == []
        assert time.monotonic() < end, f"nobody took over: {unanswered}"
    assert unanswered[0], "the killed worker owned nobody"
    assert await differences(system, people) == []


async def test_a_lone_worker_may_be_killed_at_any_moment(system: System, load: Load) -> None:
    worker = await alone(system)
    chance = random.Random(7)
    async with load.running():
        for loses_its_disk in (False, True, False):
            await asyncio.sleep(chance.uniform(0.3, 2.0))
            worker.kill()
            if loses_its_disk:
                worker.wipe()
            worker.start()
            await system.ready(worker)
    await system.settled()
    assert await differences(system, truth(load.told)) == []


async def test_a_worker_outlives_its_broker(system: System, load: Load, own_broker: Broker) -> None:
    worker = await alone(system)
    starts = worker.starts
    async with load.running():
        await asyncio.sleep(1)
        own_broker.kill()
        await asyncio.sleep(2)
        own_broker.start()
    await regrouped(system)
    assert worker.starts == starts
    assert await differences(system, truth(load.told)) == []


async def test_a_worker_that_comes_back_with_an_empty_disk_has_everything_again(system: System, load: Load) -> None:
    for worker in system.workers:
        worker.kill()
        worker.wipe()
    await shared(system)
    for worker in system.workers:
        assert await differences(system, truth(load.told), worker) == []


async def test_a_worker_that_slept_through_its_session_does_no_harm(system: System, load: Load) -> None:
    await shared(system)
    awake, sleeper = system.workers
    async with load.running():
        await asyncio.sleep(1)
        sleeper.freeze()
        await asyncio.sleep(SESSION_SECONDS + 2)
        await system.ready(awake)
    await until(system, lambda owned: len(owned) == 1)
    people = truth(load.told)
    assert await differences(system, people, awake) == []
    sleeper.thaw()
    wrong, _ = await wrong_answers(system, people, sleeper)
    assert wrong == [], "it answered before it knew what it had missed"
    async with load.running():
        await asyncio.sleep(2)
        await system.ready(awake, sleeper)
    await shared(system)
    for worker in system.workers:
        assert await differences(system, truth(load.told), worker) == []
