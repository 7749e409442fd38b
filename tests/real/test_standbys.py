"""With `standbys = 1` the other worker knows the rows already: a take-over reads the tail of the changelogs, and all is right."""

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.broker import Broker
from app.settings import PACKAGED_CONFIG
from tests.real.crowd import Crowd, truth
from tests.real.judge import differences
from tests.real.system import System, Unreachable, Worker, path_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARTITIONS = 4
MOVED_SECONDS_MAX = 60.0
EARLIER, LATER, RATE = 1_500, 150, 200


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Two workers that share the partitions and follow each other's."""
    root = tmp_path_factory.mktemp("standbys")
    text = PACKAGED_CONFIG.read_text(encoding="utf-8").replace("standbys = 0", "standbys = 1", 1)
    async with System.run(broker.bootstrap, "standbys", root) as running:
        running.configure(text.replace("\npartitions = 8", f"\npartitions = {PARTITIONS}", 1))
        for worker in (running.worker(), running.worker()):
            worker.start()
        await running.ready(*running.workers)
        yield running


async def test_a_take_over_reads_only_what_the_standby_had_not_seen(system: System) -> None:
    stays, goes = system.workers
    crowd = Crowd(seed=11, people=25)
    told = crowd.events(EARLIER)
    await system.tell(told)
    await followed(system)

    ends, folded = await changelogs(system), await records(system, stays)
    last = crowd.events(LATER)
    telling = asyncio.create_task(system.tell(last, rate=RATE))
    await asyncio.sleep(LATER / RATE / 2)
    goes.kill()
    await telling
    await until(system, stays, standbys=0, partitions=PARTITIONS)
    await system.settled()
    appended = await changelogs(system) - ends
    assert appended < ends / 4, "else the tail is no tail"
    assert await records(system, stays) - folded <= appended + PARTITIONS, "the last record of each is read again"
    people = truth([*told, *last])
    assert await differences(system, people, stays) == []

    ends = await changelogs(system)
    more = crowd.events(LATER)
    await system.tell(more)
    goes.start()
    await followed(system)
    missed = await changelogs(system) - ends + appended
    assert await records(system, goes) <= missed + PARTITIONS, "it has the rest on its disk"
    people = truth([*told, *last, *more])
    for worker in system.workers:
        assert await differences(system, people, worker) == []


async def test_a_worker_to_which_no_partition_is_left_is_ready_and_answers(system: System) -> None:
    """Four partitions on three workers: Faust fills two of them, and takes nothing away from either."""
    told = Crowd(seed=12, people=3, first=900).events(30)
    await system.tell(told)
    spare = await system.started()
    await until(system, spare, partitions=0)
    await system.settled()
    for person in truth(told):
        for name in person.names:
            items = await system.walk(path_of("journeys", *name), 1000, worker=spare)
            assert [item["event_id"] for item in items] == person.ids


async def followed(system: System) -> None:
    """Waits until both workers own half, follow the other half, and have read all of it."""
    for worker in system.workers:
        await until(system, worker, standbys=PARTITIONS // 2, partitions=PARTITIONS // 2)
    await system.settled()
    counts: list[float] = []
    while len(counts) < 2 or counts[-1] != counts[-2]:
        await asyncio.sleep(0.3)
        counts.append(sum([await records(system, worker) for worker in system.workers]))


async def until(system: System, worker: Worker, **wanted: int) -> None:
    """Waits until a worker has so many standby and live partitions."""
    names = {"standbys": "onetrail_standby_partitions", "partitions": "onetrail_partitions"}
    end = time.monotonic() + MOVED_SECONDS_MAX
    while await metrics(system, worker, [names[what] for what in wanted]) != list(wanted.values()):
        assert time.monotonic() < end, f"not {wanted}:\n{worker.tail()}"
        worker.keep()
        await asyncio.sleep(0.1)


async def records(system: System, worker: Worker) -> float:
    """Changelog records that a worker has read since it started."""
    (found,) = await metrics(system, worker, ["onetrail_changelog_records_total"])
    return found


async def metrics(system: System, worker: Worker, names: list[str]) -> list[float]:
    """Sums over the tables; nothing while nobody answers."""
    try:
        text = (await system.get("/metrics", worker)).body
    except Unreachable:
        return []
    return [sum(map(float, re.findall(rf"(?m)^{name}{{.*}} (.*)$", text))) for name in names]


async def changelogs(system: System) -> int:
    """How many records were ever appended to the changelog."""
    tps = [TopicPartition(f"{system.prefix}-people-changelog", n) for n in range(PARTITIONS)]
    async with AIOKafkaConsumer(bootstrap_servers=system.bootstrap) as consumer:
        return sum((await consumer.end_offsets(tps)).values())
