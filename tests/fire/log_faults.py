"""Faults in the log: what stale writers, retention, compaction, missing copies and lost commits do to topics.

Retention is Kafka's DeleteRecords, which moves the log's beginning as retention would, at a moment of our choice; a stale
writer is ourselves, who append to a changelog what is in it already, which is byte for byte what a stale writer would append.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from app.administration import administering
from app.runtime.rows import STAMP
from app.runtime.stage import CURSOR
from app.topics import COMPACTION_LAG_MS, ROWS_BYTES_MAX
from tests.fire.burning import Fire
from tests.fire.site import PREFIX
from tests.real.crew import changelog
from tests.real.crowd import BEGIN_MS, Behaviour

CHANGELOG, INBOX = f"{PREFIX}-people-changelog", f"{PREFIX}.people.inbox"
CONFIG = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": str(COMPACTION_LAG_MS),
    "max.message.bytes": str(ROWS_BYTES_MAX),
    "message.timestamp.type": "LogAppendTime",
}
"""Of a changelog."""
CLEANED_SECONDS_MAX, INSIST_SECONDS_MAX = 300.0, 120.0
WITHHELD_SECONDS = 4.0
"""Several commits."""
FLOOD = 400


async def stale_writer(fire: Fire) -> None:
    """What a stale writer would append to every changelog partition; its owner must be fenced and repair it."""
    await _insist(partial(_write_stale, fire))


async def _write_stale(fire: Fire) -> None:
    async with AIOKafkaProducer(bootstrap_servers=fire.site.broker.bootstrap, acks="all") as producer:
        for partition in range(fire.site.partitions):
            for key, value in stale(await changelog(fire.site.broker, CHANGELOG, partition)):
                await producer.send_and_wait(CHANGELOG, value, key=key, partition=partition)


def stale(records: list[tuple[int, bytes, bytes]], most: int = 5) -> list[tuple[bytes, bytes]]:
    """Rows as they were before their last change, the cursor among them: of those that rest for long, and of those just changed.

    Whoever goes on acting repairs a row of his by the next change; it is the others who show that nobody did.
    """
    first: dict[bytes, bytes] = {}
    changed: dict[bytes, int] = {}
    for offset, key, value in records:
        if key in first and value[:STAMP] > first[key][:STAMP]:
            changed[key] = offset
        first.setdefault(key, value)
    rows = sorted(changed.keys() - {CURSOR}, key=changed.__getitem__)
    chosen = dict.fromkeys((*rows[:most], *rows[-most:], *(changed.keys() & {CURSOR})))
    return [(key, first[key]) for key in chosen]


async def compaction(fire: Fire) -> None:
    """Stale records are repaired, changelogs compacted, and a worker without a disk recovers from what is left."""
    await stale_writer(fire)
    await asyncio.sleep(2)
    await fire.site.ready()
    tps = [TopicPartition(CHANGELOG, partition) for partition in range(fire.site.partitions)]
    ends = await fire.site.ends(tps)
    await _configure(fire, {"segment.ms": "1000", "min.compaction.lag.ms": "0", "min.cleanable.dirty.ratio": "0.01"})
    deadline = time.monotonic() + CLEANED_SECONDS_MAX
    while not await _are_compact(fire, ends):
        assert time.monotonic() < deadline, "Kafka did not compact"
        await asyncio.sleep(1)
    worker = fire.worker()
    worker.kill()
    worker.wipe()


async def _are_compact(fire: Fire, ends: Mapping[TopicPartition, int]) -> bool:
    """Whether each key is there but once before the end of its partition, as far as Kafka tells."""
    for tp, end in ends.items():
        try:
            keys = [key for offset, key, _ in await changelog(fire.site.broker, *tp) if offset < end]
        except KafkaError:
            return False
        if len(set(keys)) < len(keys):
            return False
    return True


async def rows_withheld(fire: Fire) -> None:
    """Kafka takes everything but rows, whose copies are too few, and commits; then all workers are killed."""
    await _configure(fire, {"min.insync.replicas": "2"})
    await asyncio.sleep(WITHHELD_SECONDS)
    names = fire.kill_all()
    await _configure(fire, {})
    fire.site.hands_off -= names


async def _configure(fire: Fire, changes: Mapping[str, str]) -> None:
    async def configure() -> None:
        async with administering(fire.site.broker.bootstrap) as admin:
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, CHANGELOG, {**CONFIG, **changes})])

    await _insist(configure)


async def commits_lost(fire: Fire) -> None:
    """All workers are killed, and what the group had committed of the inbox is lost: each message comes once more."""
    tps = [TopicPartition(INBOX, partition) for partition in range(fire.site.partitions)]
    bootstrap, names = fire.site.broker.bootstrap, fire.kill_all()

    async def begin_anew() -> None:
        """Refused while the group still counts the dead in, until their session ends."""
        names.update(fire.kill_all())
        async with AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=PREFIX, enable_auto_commit=False) as consumer:
            consumer.assign(tps)
            await consumer.commit(await consumer.beginning_offsets(tps))

    await _insist(begin_anew)
    fire.site.hands_off -= names


async def _insist(act: Callable[[], Awaitable[None]]) -> None:
    """Until Kafka takes it: another fault may keep it from that."""
    end = time.monotonic() + INSIST_SECONDS_MAX
    while True:
        try:
            await act()
            return
        except KafkaError:
            assert time.monotonic() < end, f"Kafka does not take it: {act}"
            await asyncio.sleep(1)


async def retention_passes(fire: Fire) -> None:
    """All workers are down while a channel's records are deleted that nobody has read: it must be told, not passed over."""
    names = fire.kill_all()
    at = len(fire.told.flooded)
    flood = [_passer_by(number) for number in range(at, at + FLOOD)]
    fire.told.flooded += flood
    await fire.load.write(flood)
    topic = f"{PREFIX}.behaviour.marketing"
    tps = [TopicPartition(topic, partition) for partition in range(2)]

    async def delete() -> None:
        ends = await fire.site.ends(tps)
        async with administering(fire.site.broker.bootstrap) as admin:
            await admin.delete_records({tp: RecordsToDelete(end - left[tp]) for tp, end in ends.items()})

    left = {tp: fire.chance.randrange(FLOOD // 4) for tp in tps}
    await _insist(delete)
    fire.site.hands_off -= names


def _passer_by(number: int) -> Behaviour:
    return Behaviour("marketing", f"flood-{number:06d}", "x", BEGIN_MS + number, (("device_id", f"flood {number}"),))
