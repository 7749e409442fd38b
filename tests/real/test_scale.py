"""More workers, fewer workers, all restarted one by one, under load: an answer is right, or it is 503, all the while."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from app.broker import Broker
from tests.fire.probe import Prober
from tests.real.crowd import Crowd, truth
from tests.real.judge import differences
from tests.real.load import Load
from tests.real.system import System

MOVED_SECONDS_MAX = 90.0


async def shares(system: System, is_reached: Callable[[list[int]], bool]) -> None:
    """Waits until the numbers of partitions that the workers own are as wanted."""
    end = time.monotonic() + MOVED_SECONDS_MAX
    while True:
        for worker in system.workers:
            worker.keep()
        workers = (await system.status()).get("workers", [])
        if workers and is_reached(sorted(len(worker["partitions"]) for worker in workers)):
            return
        assert time.monotonic() < end, f"the partitions did not move: {workers}"
        await asyncio.sleep(0.2)


async def test_one_worker_becomes_three_all_restart_and_two_stay(broker: Broker, tmp_path: Path) -> None:
    async with System.run(broker.bootstrap, "scale", tmp_path) as system:
        await system.started()
        residents = Crowd(seed=5, people=20).events(100)
        await system.tell(residents)
        await system.settled()
        load = Load(system, Crowd(seed=5, people=60, first=1_000))
        prober = Prober(system, truth(residents), lambda: system.workers)
        async with load.running(), prober.running():
            for worker in (system.worker(), system.worker()):
                worker.start()
            await shares(system, lambda owned: len(owned) == 3 and owned[0] > 0)
            for worker in system.workers:
                await asyncio.to_thread(worker.stop)
                worker.start()
                await shares(system, lambda owned: sum(owned) == 8 and len(owned) == 3)
            await asyncio.to_thread(system.workers.pop().stop)
            await shares(system, lambda owned: sum(owned) == 8 and len(owned) == 2)
        await system.settled()
        assert prober.wrong == []
        assert prober.right > 100
        assert await differences(system, truth([*residents, *load.told])) == []
        print(f"longest 503 about one person: {prober.gap:.1f} s")
