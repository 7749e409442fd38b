"""The whole chain: a broker, one worker on a core of its own, a topic that is filled while the worker is frozen.

The worker is ready and warm before its topic is filled; it is frozen (SIGSTOP) meanwhile, for well below its session timeout.
The clock runs from its thaw until the last message that it handles before `/v1/status` says that all is visible (for that answer
takes seconds on an idle worker); its CPU is read from /proc at both ends.
"""

import asyncio
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.benchmarks.behaviour import linking, paced, steady
from tests.benchmarks.latency import Delay, Watch, delay
from tests.benchmarks.load import BATCH_BYTES, Loader
from tests.benchmarks.machine import OTHERS, OURS, Figure, cpu_seconds, memory_mb, on
from tests.real.system import System, Worker

PARTITIONS, INNER_PARTITIONS = 2, 8
TOPIC = "behaviour.web"
PACES = {200: 10, 1_000: 6}
"""Events a second -> seconds of it."""
POLL_SECONDS, QUIET_SECONDS, READY_SECONDS = 0.1, 1.0, 150.0


class Life(NamedTuple):
    """What was measured of one worker; `delays` by events a second, `recovered` in rows a second."""

    drained: dict[str, Figure]
    memory_mb: float
    delays: dict[int, Delay]
    recovered: float


async def chain(bootstrap: str, prefix: str, data: Path, count: int) -> Life:
    """One worker's life: `count` events with new links, then as many without, then a steady trickle, then a lost disk."""
    os.sched_setaffinity(0, OTHERS)
    batches = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=BATCH_BYTES, acks="all")
    async with System.run(bootstrap, prefix, data) as system, batches as producer:
        worker = system.worker()
        with on(OURS):
            worker.start()
        await system.ready(worker, seconds=READY_SECONDS)
        loader = Loader(producer, system.topic(TOPIC), PARTITIONS)
        drained = {
            "new links": await settle(system, worker, loader, linking(count)),
            "steady": await settle(system, worker, loader, steady(count, known=count)),
        }
        memory, delays = memory_mb(pid_of(worker)), await trickle(system, worker, producer, count)
        return Life(drained, memory, delays, await recovery(system, worker))


def pid_of(worker: Worker) -> int:
    """Its process."""
    pid = worker._child.pid  # of no interest to tests, which know a worker by what it answers
    assert pid is not None
    return pid


async def trickle(system: System, worker: Worker, producer: AIOKafkaProducer, known: int) -> dict[int, Delay]:
    """Delays at each pace."""
    watch = Watch(system.bootstrap, f"{system.prefix}-journey-changelog", INNER_PARTITIONS)
    reading = asyncio.create_task(watch.read())
    delays = {}
    for rate, seconds in PACES.items():
        events = paced(rate * seconds, known, f"pace{rate}")
        delays[rate] = await delay(producer, system.topic(TOPIC), watch, events, (rate, pid_of(worker)))
        await system.settled()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return delays


async def recovery(system: System, worker: Worker) -> float:
    """Rows a second that a worker without a disk reads from the changelogs, beyond what its start takes anyway."""
    took = []
    for wiped in (False, True):
        worker.stop()
        if wiped:
            worker.wipe()
        begun = time.perf_counter()
        with on(OURS):
            worker.start()
        await system.ready(worker, seconds=READY_SECONDS)
        took.append(time.perf_counter() - begun)
    names = [f"{system.prefix}-{table}-changelog" for table in ("identity", "journey")]
    async with AIOKafkaConsumer(bootstrap_servers=system.bootstrap) as consumer:
        ends = await consumer.end_offsets([TopicPartition(name, p) for name in names for p in range(INNER_PARTITIONS)])
    return float(sum(ends.values()) / max(took[1] - took[0], POLL_SECONDS))


async def settle(system: System, worker: Worker, loader: Loader, events: Sequence[bytes]) -> Figure:
    """Fills the topic, and waits until the worker is done with it."""
    pid = pid_of(worker)
    worker.freeze()
    try:
        await loader.write(events)
        before, begun = cpu_seconds(pid), time.perf_counter()
    finally:
        worker.thaw()
    seen, ended, used = -1.0, begun, before
    while True:
        await asyncio.sleep(POLL_SECONDS)
        if (handled := await messages(system)) != seen:
            seen, ended, used = handled, time.perf_counter(), cpu_seconds(pid)
        elif time.perf_counter() - ended > QUIET_SECONDS and (await system.known("/v1/status"))["settled"]:
            return Figure(len(events), ended - begun, used - before)


async def messages(system: System) -> float:
    """What relay and stages have handled since start."""
    text: str = await system.known("/metrics")
    return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(r"onetrail_(records|messages)_total", line))
