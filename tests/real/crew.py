"""Workers of the counting app as processes, events for them, and what their changelog says."""

import asyncio
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import rmtree

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.broker import Broker
from app.runtime.rows import STAMP, Partition, Recovery, RocksDBOptions
from app.runtime.stage import CURSOR
from tests.app.runtime.kafka_model import Disk
from tests.real.counting import BATCH_BYTES, PARTITIONS, SLEEP, topics

COMPACTED = {"cleanup.policy": "compact", "max.message.bytes": str(BATCH_BYTES + 65_536)}
NAMES = [f"name {n}" for n in range(40)]
SETTLED_SECONDS_MAX = 30.0


async def create(admin: AIOKafkaAdminClient, prefix: str) -> None:
    """The topics of a counting app."""
    events, inbox, rows = topics(prefix)
    made = [
        NewTopic(events, PARTITIONS, 1),
        NewTopic(inbox, PARTITIONS, 1),
        NewTopic(rows, PARTITIONS, 1, topic_configs=COMPACTED),
    ]
    await admin.create_topics(made)


@asynccontextmanager
async def crew(broker: Broker, prefix: str, data: Path, names: list[str]) -> AsyncIterator["Crew"]:
    """Workers, started again when they end, until the end of the block."""
    workers = Crew(broker, prefix, data)
    for name in names:
        workers.start(name)
    watch = asyncio.create_task(workers.watch())
    try:
        yield workers
    finally:
        watch.cancel()
        workers.kill()


@asynccontextmanager
async def events(broker: Broker, prefix: str) -> AsyncIterator[Counter[str]]:
    """Events all the time, some 500 a second; the counter says what was acknowledged."""
    sent: Counter[str] = Counter()
    ending: list[bool] = []
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all", enable_idempotence=True)

    async def send() -> None:
        while not ending:
            names = random.choices(NAMES, k=random.randint(1, 20))
            acks = [
                await producer.send(topics(prefix)[0], name.encode(), partition=random.randrange(PARTITIONS)) for name in names
            ]
            await asyncio.gather(*acks)
            sent.update(names)
            await asyncio.sleep(0.02)

    async with producer:
        task = asyncio.create_task(send())
        yield sent
        ending.append(True)
        await task


async def changelog(broker: Broker, topic: str, partition: int) -> list[tuple[int, bytes, bytes]]:
    """All records of a partition, as (offset, key, value)."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    tp = TopicPartition(topic, partition)
    found: list[tuple[int, bytes, bytes]] = []
    async with consumer:
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for record in (await consumer.getmany(tp, timeout_ms=500)).get(tp, []):
                found.append((record.offset, record.key, record.value))
    return found


async def folded(broker: Broker, prefix: str, partition: int) -> Disk:
    """What a worker without a disk would recover."""
    disk, records = Disk(), await changelog(broker, topics(prefix)[2], partition)
    if records:
        Recovery().fold(disk, records, records[-1][0])
    return disk


async def counts(broker: Broker, prefix: str) -> Counter[str]:
    """The rows of all partitions, by the changelog."""
    found: Counter[str] = Counter()
    for partition in range(PARTITIONS):
        rows = (await folded(broker, prefix, partition)).rows
        found.update({key.decode(): int(row[STAMP:]) for key, row in rows.items() if key != CURSOR})
    return found


async def settled(broker: Broker, prefix: str, sent: Counter[str]) -> Counter[str]:
    """The counts when they are as many as was sent, and a moment later; or after a time that should be enough."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLED_SECONDS_MAX
    found = await counts(broker, prefix)
    while found.total() < sent.total() and loop.time() < deadline:
        await asyncio.sleep(0.3)
        found = await counts(broker, prefix)
    await asyncio.sleep(1)
    return await counts(broker, prefix)


def on_disk(data: Path, partition: int) -> dict[bytes, bytes]:
    """The rows of a worker that has ended."""
    (path,) = data.glob(f"**/tables/counts-{partition}.db")
    stored = Partition(RocksDBOptions(use_rocksdict=True).open(path))
    keys = [key for key, _ in stored.bodies(b"name ")] + [CURSOR]
    return {key: row for key in keys if (row := stored.get(key)) is not None}


class Crew:
    """Workers as processes, started again when they end."""

    def __init__(self, broker: Broker, prefix: str, data: Path) -> None:
        self._broker, self._prefix, self._data = broker, prefix, data
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ended: list[tuple[str, int]] = []

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "tests.real.counting", self._broker.bootstrap, self._prefix]
        log = (self._data / f"{name}.log").open("ab")
        self._processes[name] = subprocess.Popen([*command, str(self._data / name), name], stdout=log, stderr=log)
        log.close()

    def restart(self, name: str, *, lose_data: bool) -> None:
        self.send(name, signal.SIGKILL)
        self._processes[name].wait()
        if lose_data:
            rmtree(self._data / name, ignore_errors=True)
        self.start(name)

    async def sleep_at_append(self, name: str, seconds: float) -> None:
        """Has a worker fall asleep with rows in hand, and wakes it; waits until it has begun to work, for up to a minute."""
        for _ in range(600):
            if (self._data / name).is_dir():
                break
            await asyncio.sleep(0.1)
        (self._data / name / SLEEP).touch()
        state = Path(f"/proc/{self._processes[name].pid}/stat")
        for _ in range(600):
            if state.read_text().rpartition(")")[2].split()[0] == "T":
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(seconds)
        self.send(name, signal.SIGCONT)

    def send(self, name: str, what: signal.Signals) -> None:
        self._processes[name].send_signal(what)

    async def watch(self) -> None:
        """Starts again who has ended, as a supervisor does."""
        while True:
            await asyncio.sleep(0.2)
            for name, process in list(self._processes.items()):
                if (code := process.poll()) is not None:
                    self.ended.append((name, code))
                    self.start(name)

    async def end(self, name: str) -> int:
        """Asks a worker to end; its exit code."""
        process = self._processes.pop(name)
        process.terminate()
        return await asyncio.to_thread(process.wait, 20)

    def kill(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
