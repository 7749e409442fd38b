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

from aiokafka import AIOKafkaProducer

from tests.benchmarks.behaviour import linking, steady
from tests.benchmarks.load import BATCH_BYTES, Loader
from tests.benchmarks.machine import OTHERS, OURS, Figure, cpu_seconds, on
from tests.real.system import System, Worker

PARTITIONS = 2
TOPIC = "behaviour.web"
POLL_SECONDS, QUIET_SECONDS = 0.1, 1.0


async def chain(bootstrap: str, prefix: str, data: Path, count: int) -> dict[str, Figure]:
    """Figures of one worker's life: `count` events with new links, then as many without."""
    os.sched_setaffinity(0, OTHERS)
    batches = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=BATCH_BYTES, acks="all")
    async with System.run(bootstrap, prefix, data) as system, batches as producer:
        worker = system.worker()
        with on(OURS):
            worker.start()
        await system.ready(worker)
        loader = Loader(producer, system.topic(TOPIC), PARTITIONS)
        return {
            "new links": await settle(system, worker, loader, linking(count)),
            "steady": await settle(system, worker, loader, steady(count, known=count)),
        }


async def settle(system: System, worker: Worker, loader: Loader, events: Sequence[bytes]) -> Figure:
    """Fills the topic, and waits until the worker is done with it."""
    pid = worker._child.pid  # of no interest to tests, which know a worker by what it answers
    assert pid is not None
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
