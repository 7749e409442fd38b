"""More workers, fewer workers, all restarted one by one, under load: an answer is right, or it is 503, all the while."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import chain
from pathlib import Path

import pytest

from app.broker import Broker
from app.settings import PACKAGED_CONFIG
from tests.fire.probe import Prober
from tests.real.crowd import Crowd, Truth, truth
from tests.real.judge import differences
from tests.real.load import Load
from tests.real.system import System, Worker

PARTITIONS = 6
"""Two each of three workers, three each of two: with a number that does not divide evenly one worker may be left with nothing."""
RATE = 60
READY_SECONDS_MAX = 180.0


@pytest.fixture
async def system(broker: Broker, tmp_path: Path) -> AsyncIterator[System]:
    """One worker; all have standbys as soon as there are several."""
    text = PACKAGED_CONFIG.read_text(encoding="utf-8").replace("standbys = 0", "standbys = 1", 1)
    async with System.run(broker.bootstrap, "scale", tmp_path) as running:
        running.configure(text.replace("\npartitions = 8", f"\npartitions = {PARTITIONS}", 1))
        first = running.worker()
        first.start()
        await running.ready(first, seconds=READY_SECONDS_MAX)
        yield running


async def test_one_worker_becomes_three_all_restart_and_two_stay(system: System) -> None:
    residents = Crowd(seed=5, people=20).events(100)
    await system.tell(residents)
    await system.settled()
    people, load = truth(residents), Load(system, Crowd(seed=5, people=60, first=1_000), RATE)
    async with load.running():
        gaps = {
            "one worker becomes three": await probed(system, people, more),
            "each of three restarts": await probed(system, people, restarts),
            "three become two": await probed(system, people, fewer),
        }
    await system.settled()
    assert await differences(system, truth([*residents, *load.told])) == []
    for what, seconds in gaps.items():
        print(f"longest 503 about one person while {what}: {seconds:.1f} s")


async def probed(system: System, people: list[Truth], change: Callable[[System], Awaitable[None]]) -> float:
    """Asks about everybody until a change is over and all are answered again; the longest silence about one of them."""
    prober = Prober(system, people, lambda: system.workers)
    async with prober.running():
        await change(system)
        await prober.calm(READY_SECONDS_MAX)
    assert prober.wrong == []
    return prober.gap


async def more(system: System) -> None:
    for worker in (system.worker(), system.worker()):
        worker.start()
    await shared(system, 3)


async def restarts(system: System) -> None:
    """As an upgrade does: one after the other, each under its name again."""
    for worker in system.workers:
        await ended(worker)
        worker.start()
        await shared(system, 3)


async def fewer(system: System) -> None:
    await ended(system.workers.pop())
    await shared(system, 2)


async def ended(worker: Worker) -> None:
    """Asks a worker to end, which it does by itself: one that does not is killed after a while."""
    await asyncio.to_thread(worker.stop)
    assert worker.exit_code == 0, worker.tail()


async def shared(system: System, number: int) -> None:
    """Waits until so many workers own all partitions among them, each at least one, and all of them answer."""
    await system.ready(*system.workers, seconds=READY_SECONDS_MAX)
    end = time.monotonic() + READY_SECONDS_MAX
    while not is_shared(owned := [one["partitions"] for one in (await system.status()).get("workers", [])], number):
        assert time.monotonic() < end, f"the partitions did not move: {owned}"
        for worker in system.workers:
            worker.keep()
        await asyncio.sleep(0.2)


def is_shared(owned: list[list[int]], number: int) -> bool:
    """Whether every partition has one owner, and nobody has nothing."""
    return len(owned) == number and all(owned) and sorted(chain.from_iterable(owned)) == list(range(PARTITIONS))
