"""The faults: each does its harm to a site under load, heals what a person would have to heal, and waits until all is up again.

What a fault is not: a slow disk is a broker that is stopped three quarters of the time (SIGSTOP, SIGCONT), for there is no
honest slow disk without rights on the machine; retention is Kafka's DeleteRecords, which moves the log's beginning as
retention would, at a moment of our choice; a stale writer is either a worker that slept, or ourselves, who append to a
changelog what is in it already, which is byte for byte what a stale writer would append.
"""

import asyncio
import json
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from app.runtime.rows import STAMP
from app.runtime.stage import CURSOR
from tests.fire.load import Load
from tests.fire.people import LEAVERS, PARTED, Told, leaver, parted
from tests.fire.site import PREFIX, Site
from tests.real.crew import changelog
from tests.real.crowd import BEGIN_MS, Behaviour, Name
from tests.real.system import ADMIN, Unreachable, Worker

SESSION_SECONDS = 10.0
CHANGELOGS = tuple(f"{PREFIX}-{table}-changelog" for table in ("identity", "journey"))
CLEANED_SECONDS_MAX = 60.0
FLOOD = 400


@dataclass
class Fire:
    """What a fault may touch."""

    site: Site
    load: Load
    told: Told
    chance: random.Random
    say: Callable[[str], None]

    def worker(self) -> Worker:
        """Any that should be up."""
        return self.chance.choice(self.site.wanted)

    async def for_a_while(self, least: float, most: float) -> None:
        """Some seconds."""
        await asyncio.sleep(self.chance.uniform(least, most))


Fault = Callable[[Fire], Awaitable[None]]


async def kill_worker(fire: Fire) -> None:
    """kill -9 of a worker."""
    fire.worker().kill()


async def lose_disk(fire: Fire) -> None:
    """kill -9 of a worker, and its data directory is deleted."""
    worker = fire.worker()
    worker.kill()
    worker.wipe()


async def kill_all_workers(fire: Fire) -> None:
    """kill -9 of all workers at once, one loses its disk."""
    for worker in fire.site.wanted:
        worker.kill()
    fire.worker().wipe()


async def kill_collector(fire: Fire) -> None:
    """kill -9 of the collector, in the midst of requests."""
    fire.site.collector.process.kill()


async def kill_broker(fire: Fire) -> None:
    """kill -9 of Kafka, away for a few seconds."""
    await _broker_away(fire, 3.0)


async def long_outage(fire: Fire) -> None:
    """Kafka is killed and away for longer than sessions last; no worker may end by itself."""
    await _broker_away(fire, SESSION_SECONDS * 2)


async def _broker_away(fire: Fire, seconds: float) -> None:
    fire.site.hands_off.add("broker")
    await fire.site.kill_broker()
    await asyncio.sleep(seconds)
    await fire.site.start_broker()
    fire.site.hands_off.discard("broker")


async def sleep_past_session(fire: Fire) -> None:
    """SIGSTOP of a worker for longer than its session, then SIGCONT: it wakes as a stale writer."""
    worker = fire.worker()
    fire.site.hands_off.add(worker.name)
    worker.freeze()
    await asyncio.sleep(SESSION_SECONDS + fire.chance.uniform(1, 4))
    fire.site.hands_off.discard(worker.name)
    worker.thaw()


async def stale_writer(fire: Fire) -> None:
    """What a stale writer would append to every changelog partition; its owner must be fenced and repair it."""
    async with AIOKafkaProducer(bootstrap_servers=fire.site.broker.bootstrap, acks="all") as producer:
        for topic, partition in product(CHANGELOGS, range(fire.site.partitions)):
            for key, value in stale(await changelog(fire.site.broker, topic, partition)):
                await producer.send_and_wait(topic, value, key=key, partition=partition)


def stale(records: list[tuple[int, bytes, bytes]], most: int = 5) -> list[tuple[bytes, bytes]]:
    """Rows as they were before their last change, the cursor among them."""
    first: dict[bytes, bytes] = {}
    changed: list[bytes] = []
    for _, key, value in records:
        if key in first and value[:STAMP] > first[key][:STAMP] and key not in changed:
            changed.append(key)
        first.setdefault(key, value)
    rows = [key for key in changed if key != CURSOR][-most:]
    return [(key, first[key]) for key in (*rows, *(key for key in changed if key == CURSOR))]


async def compaction(fire: Fire) -> None:
    """Stale records are repaired, changelogs compacted, and a worker without a disk recovers from what is left."""
    await stale_writer(fire)
    await asyncio.sleep(2)
    await fire.site.ready()
    before = await _records(fire)
    await _compact(fire, {"segment.ms": "1000", "min.compaction.lag.ms": "0", "min.cleanable.dirty.ratio": "0.01"})
    end = time.monotonic() + CLEANED_SECONDS_MAX
    while await _records(fire) > before * 0.9:
        assert time.monotonic() < end, f"Kafka did not compact: {before} records"
        await asyncio.sleep(1)
    await lose_disk(fire)


async def _compact(fire: Fire, config: Mapping[str, str]) -> None:
    common = {"cleanup.policy": "compact", "max.message.bytes": "4194304", "message.timestamp.type": "LogAppendTime"}
    async with fire.site.admin() as admin:
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic, {**common, **config}) for topic in CHANGELOGS]
        await admin.alter_configs(resources)


async def _records(fire: Fire) -> int:
    """How many are left in the changelogs."""
    places = product(CHANGELOGS, range(fire.site.partitions))
    return sum([len(await changelog(fire.site.broker, topic, partition)) for topic, partition in places])


async def workers_disk_full(fire: Fire) -> None:
    """The workers' disk is full for a while."""
    async with fire.site.full("workers"):
        await fire.for_a_while(5, 8)


async def broker_disk_full(fire: Fire) -> None:
    """Kafka's disk is full for a while; it stops itself, and takes nothing more until there is room."""
    async with fire.site.full("broker"):
        await fire.for_a_while(3, 6)


async def slow_broker(fire: Fire) -> None:
    """Kafka is killed, and stopped for three quarters of the time after it is back."""
    await _broker_away(fire, 0.5)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        fire.site.broker_signal(signal.SIGSTOP)
        await asyncio.sleep(0.3)
        fire.site.broker_signal(signal.SIGCONT)
        await asyncio.sleep(0.1)


async def add_worker(fire: Fire) -> None:
    """One more worker."""
    fire.site.add()


async def remove_worker(fire: Fire) -> None:
    """A worker is asked to end, and stays away; not the last one but one."""
    if len(fire.site.wanted) > 2:
        worker = fire.worker()
        fire.site.wanted.remove(worker)
        await asyncio.to_thread(worker.stop)


async def clock_jump(fire: Fire) -> None:
    """The wall clock of one worker jumps by up to two hours, either way, and back."""
    clock = fire.site.clock_of(fire.worker())
    clock.write_text(str(fire.chance.uniform(-7200, 7200)))
    await fire.for_a_while(3, 6)
    clock.write_text("0")


async def poison(fire: Fire) -> None:
    """Records that are no events, and some that are too large."""
    await fire.load.spoil(len(fire.load.poison))


async def operators(fire: Fire) -> None:
    """Somebody who was one person is two from now on; somebody is forgotten."""
    for number in set(range(PARTED)) - fire.told.parted:
        a, b = parted(number)
        await _request(fire, "unlinks", {"a": _named(a), "b": _named(b)})
        fire.told.parted.add(number)
        break
    for number in set(range(LEAVERS)) - fire.told.left:
        await _request(fire, "erasures", _named(leaver(number)[0]))
        fire.told.left.add(number)
        break


def _named(name: Name) -> dict[str, str]:
    return {"namespace": name[0], "value": name[1]}


async def _request(fire: Fire, route: str, body: dict[str, Any]) -> None:
    """Asks any worker until one takes it; asked twice is the same as once."""
    while True:
        try:
            answer = await fire.site.system.get(f"/v1/{route}", fire.worker(), ADMIN, "POST", json.dumps(body).encode())
            if answer.status == 202:
                return
            assert answer.status == 503, answer
        except Unreachable:
            pass
        await asyncio.sleep(0.3)


async def retention_passes(fire: Fire) -> None:
    """All workers are down while a channel's records are deleted that nobody has read: it must be told, not passed over."""
    for worker in fire.site.wanted:
        fire.site.hands_off.add(worker.name)
        worker.kill()
    at = len(fire.told.flooded)
    flood = [_passer_by(number) for number in range(at, at + FLOOD)]
    fire.told.flooded += flood
    await fire.load.write(flood)
    topic = f"{PREFIX}.behaviour.marketing"
    async with fire.site.admin() as admin:
        tps = [TopicPartition(topic, partition) for partition in range(2)]
        ends = await fire.site.ends(tps)
        await admin.delete_records({tp: RecordsToDelete(end - fire.chance.randrange(FLOOD // 4)) for tp, end in ends.items()})
    fire.site.hands_off -= {worker.name for worker in fire.site.wanted}


def _passer_by(number: int) -> Behaviour:
    return Behaviour("marketing", f"flood-{number:06d}", "x", BEGIN_MS + number, (("device_id", f"flood {number}"),))


FAULTS: Mapping[str, Fault] = {
    "kill worker": kill_worker,
    "lose disk": lose_disk,
    "kill all workers": kill_all_workers,
    "kill collector": kill_collector,
    "kill broker": kill_broker,
    "long outage": long_outage,
    "sleep past session": sleep_past_session,
    "stale writer": stale_writer,
    "compaction": compaction,
    "workers' disk full": workers_disk_full,
    "broker's disk full": broker_disk_full,
    "slow broker": slow_broker,
    "add worker": add_worker,
    "remove worker": remove_worker,
    "clock jump": clock_jump,
    "poison": poison,
    "operators": operators,
    "retention passes": retention_passes,
}
