"""A worker that makes no progress says why and ends with its own code; one whose Kafka is away for minutes stays."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from app.broker import Broker
from app.runtime.durable import EXIT_STUCK
from app.settings import PACKAGED_CONFIG
from tests.fire.site import ScorchedWorker
from tests.real.crowd import Crowd, truth
from tests.real.judge import differences
from tests.real.regroup import regrouped
from tests.real.system import System, Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

STUCK_SECONDS, PATIENT_SECONDS, LONGER_SECONDS = 6, 14, 4
ENDED_SECONDS_MAX = 120.0
LINES_MAX = 300
"""Of the Kafka library in an outage; without restraint it writes some 250 a second."""
STARTING = "its partitions are on the move"


@asynccontextmanager
async def watched(own_broker: Broker, root: Path, prefix: str, seconds: int, rule: str) -> AsyncIterator[tuple[System, Worker]]:
    """A worker with little patience, and perhaps with a fault in it."""
    text = PACKAGED_CONFIG.read_text(encoding="utf-8").replace("stuck_seconds = 60", f"stuck_seconds = {seconds}", 1)
    (root / "own.toml").write_text(text, encoding="utf-8")
    more = {"ONETRAIL_CONFIG": str(root / "own.toml"), "ONETRAIL_FIRE_CLOCK": str(root / "clock"), "ONETRAIL_FIRE_BREAK": rule}
    async with System.run(own_broker.bootstrap, prefix, root) as system:
        worker = system.worker(ScorchedWorker, **more)
        worker.start()
        if not rule:
            await system.ready(worker)
        yield system, worker


async def last_words(worker: Worker) -> str:
    """The last line of a worker that ends by itself.

    On a busy machine its patience may be shorter than its start takes; then it is started again, as a supervisor would.
    """
    end = time.monotonic() + ENDED_SECONDS_MAX
    while time.monotonic() < end:
        if not worker.alive:
            assert worker.exit_code == EXIT_STUCK, worker.tail()
            words = worker.tail().splitlines()[-1]
            if STARTING not in words:
                return words
            worker.start()
        await asyncio.sleep(0.1)
    raise AssertionError(f"it goes on:\n{worker.tail()}")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def words(own_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The last line of a worker with each of the faults; they run at the same time, apart from each other."""

    async def ended(prefix: str, rule: str) -> str:
        async with watched(own_broker, tmp_path_factory.mktemp(prefix), prefix, STUCK_SECONDS, rule) as (_, worker):
            return await last_words(worker)

    silent, blocked = await asyncio.gather(ended("silent", "silent changelog"), ended("blocked", "blocked loop"))
    return {"silent": silent, "blocked": blocked}


async def test_a_worker_whose_rows_are_not_acknowledged_says_so_and_ends(words: dict[str, str]) -> None:
    assert "worker ends, it makes no progress: silent.people.inbox/" in words["silent"]
    assert "its lane waits for the changelog: Kafka has not acknowledged the rows (" in words["silent"]
    assert " more are stuck too)" in words["silent"]


async def test_a_worker_whose_event_loop_is_blocked_says_where_and_ends(words: dict[str, str]) -> None:
    assert "worker ends, it makes no progress: the event loop waits in rows (" in words["blocked"]


async def test_a_worker_outlives_an_outage_that_is_longer_than_its_patience(own_broker: Broker, tmp_path: Path) -> None:
    async with watched(own_broker, tmp_path, "patient", PATIENT_SECONDS, "") as (system, worker):
        told = Crowd(seed=3, people=5).events(60)
        await system.tell(told[:30])
        own_broker.kill()
        telling = asyncio.create_task(system.tell(told[30:]))
        await asyncio.sleep(PATIENT_SECONDS + LONGER_SECONDS)
        own_broker.start()
        await telling
        await regrouped(system)
        assert worker.starts == 1
        assert worker.alive
        assert await differences(system, truth(told)) == []
        assert worker.log.read_text().count("logger=aiokafka") < LINES_MAX, "it fills its log while Kafka is away"
