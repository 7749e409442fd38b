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
from functools import partial
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.benchmarks.behaviour import linking, paced, steady
from tests.benchmarks.delay import Delay, delay, watching
from tests.benchmarks.load import Loader
from tests.benchmarks.machine import OTHERS, OURS, Figure, cpu_seconds, memory_mb, on
from tests.benchmarks.site import INNER_PARTITIONS, READY_SECONDS, TOPIC, changelog, employed, site
from tests.real.system import System, Worker

PACES = {200: 10, 1_000: 6}
"""Events a second -> seconds of it."""
POLL_SECONDS, CLOSE_SECONDS, QUIET_SECONDS = 0.5, 0.1, 1.0
"""Between two questions how far it is, which cost the worker a few milliseconds each; once the end may be close; and of rest."""
MESSAGES_MIN = 2
"""Of an event: the record that it is, and a message to its person."""


class Life(NamedTuple):
    """What was measured of one worker; `delays` by events a second, `recovered` in rows a second."""

    drained: dict[str, Figure]
    memory_mb: float
    delays: dict[int, Delay]
    recovered: float


async def chain(bootstrap: str, prefix: str, data: Path, count: int) -> Life:
    """One worker's life: `count` events with new links, then as many without, then a steady trickle, then a lost disk."""
    os.sched_setaffinity(0, OTHERS)
    async with site(bootstrap, prefix, data) as (system, producer, loader):
        (worker,) = await employed(system)
        drained = {
            "new links": await settle(system, loader, linking(count)),
            "steady": await settle(system, loader, steady(count, known=count)),
        }
        memory, delays = memory_mb(worker.pid), await trickle(system, worker, producer, count)
        return Life(drained, memory, delays, await recovery(system, worker))


async def trickle(system: System, worker: Worker, producer: AIOKafkaProducer, known: int) -> dict[int, Delay]:
    """Delays at each pace, from Kafka's own acknowledgement on."""
    delays = {}
    async with watching(system.bootstrap, system.prefix) as watch:
        for rate, seconds in PACES.items():
            events = paced(rate * seconds, known, f"pace{rate}")
            send = partial(producer.send_and_wait, system.topic(TOPIC))
            delays[rate] = await delay(send, watch, events, rate, [worker.pid])
            await system.settled()
    return delays


async def recovery(system: System, worker: Worker) -> float:
    """Rows a second that a worker without a disk reads from the changelog, beyond what its start takes anyway."""
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
    return await appended(system.bootstrap, changelog(system.prefix)) / max(took[1] - took[0], CLOSE_SECONDS)


async def appended(bootstrap: str, topic: str) -> int:
    """Records that were ever appended to a topic of inner partitions."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        ends = await consumer.end_offsets([TopicPartition(topic, p) for p in range(INNER_PARTITIONS)])
    return sum(ends.values())


async def settle(system: System, loader: Loader, events: Sequence[bytes]) -> Figure:
    """Fills the topic while all workers are frozen, and waits until they are done with it."""
    for worker in system.workers:
        worker.freeze()
    try:
        await loader.write(events)
        before, begun = _used(system), time.perf_counter()
    finally:
        for worker in system.workers:
            worker.thaw()
    first = seen = await messages(system)
    ended, used = begun, before
    while True:
        is_close = seen - first >= MESSAGES_MIN * len(events)
        await asyncio.sleep(CLOSE_SECONDS if is_close else POLL_SECONDS)
        if (handled := await messages(system)) != seen:
            seen, ended, used = handled, time.perf_counter(), _used(system)
        elif time.perf_counter() - ended > QUIET_SECONDS and (await system.known("/v1/status"))["settled"]:
            return Figure(len(events), ended - begun, used - before)


def _used(system: System) -> float:
    return sum(cpu_seconds(worker.pid) for worker in system.workers)


async def messages(system: System) -> float:
    """What relay and stages of all workers have handled since their start."""
    texts: list[str] = [await system.known("/metrics", worker) for worker in system.workers]
    lines = [line for text in texts for line in text.splitlines()]
    return sum(float(line.split()[-1]) for line in lines if re.match(r"onetrail_(records|messages)_total", line))
