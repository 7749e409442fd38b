"""What measurements share: a broker beside, workers that share a prefix, and servers of other kinds.

Whoever measures puts the load, and itself, on the cores of the others (`on(OTHERS)`); workers and baselines have a core of their
own unless the measurement is of the whole machine.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

from aiokafka import AIOKafkaProducer

from app.broker import Broker
from app.settings import PACKAGED_CONFIG
from tests.benchmarks.load import BATCH_BYTES, Loader
from tests.benchmarks.machine import CORES, OTHERS, OURS, ROOT, on
from tests.ports import LOOPBACK, free_port_pair
from tests.real.system import System, Worker

ALL = set(CORES)
PARTITIONS, INNER_PARTITIONS = 2, 8
"""Of the topic of a channel and of tables, as packaged."""
TOPIC = "behaviour.web"
READY_SECONDS = 150.0
UP_SECONDS_MAX = 60.0


class Site(NamedTuple):
    """A system whose workers read one topic, and the way to fill it."""

    system: System
    producer: AIOKafkaProducer
    loader: Loader


@contextmanager
def broker(place: Path, cores: set[int] = OTHERS) -> Iterator[Broker]:
    """A broker, on these cores."""
    started = Broker(LOOPBACK, free_port_pair(), place)
    with on(cores):
        started.start()
    try:
        yield started
    finally:
        started.stop()


@asynccontextmanager
async def site(bootstrap: str, prefix: str, data: Path, spread: int = PARTITIONS) -> AsyncIterator[Site]:
    """No worker yet. `spread` is the number of partitions of the topic."""
    batches = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=BATCH_BYTES, acks="all")
    async with System.run(bootstrap, prefix, data) as system, batches as producer:
        if spread != PARTITIONS:
            system.environment["ONETRAIL_CONFIG"] = str(_configured(data / f"{prefix}.toml", spread))
        yield Site(system, producer, Loader(producer, system.topic(TOPIC), spread))


def _configured(path: Path, spread: int) -> Path:
    """The packaged configuration with so many partitions for each channel."""
    text = PACKAGED_CONFIG.read_text(encoding="utf-8")
    path.write_text(text.replace(f"channel_partitions = {PARTITIONS}", f"channel_partitions = {spread}", 1), encoding="utf-8")
    return path


async def employed(system: System, cores: set[int] = OURS, count: int = 1) -> list[Worker]:
    """So many more workers, on these cores, which are ready."""
    workers = [system.worker() for _ in range(count)]
    with on(cores):
        for worker in workers:
            worker.start()
    await system.ready(*workers, seconds=READY_SECONDS)
    return workers


def changelog(prefix: str) -> str:
    """The topic of a system's rows."""
    return f"{prefix}-people-changelog"


def load_on(system: System, place: Path, rate: int, known: int, series: str) -> AbstractContextManager[int]:
    """So many events a second of the people of `linking(known)`, from a process of its own."""
    words = ["tests.benchmarks.pacing", system.bootstrap, system.topic(TOPIC), str(rate), str(known), series]
    return serving(words, None, place / "load.log", OTHERS)


def port_of(worker: Worker) -> int:
    """Where it answers."""
    return int(worker.url.rpartition(":")[2])


@contextmanager
def serving(
    words: list[str], url: str | None, log: Path, cores: set[int] = OURS, own: Mapping[str, str] = MappingProxyType({})
) -> Iterator[int]:
    """A Python module with its arguments as a process on these cores, until the block is left; its process id.

    With a `url`, from the moment at which it answers there. `own` are settings.
    """
    environment = os.environ | {f"ONETRAIL_{name}": value for name, value in own.items()}
    with log.open("ab") as kept, on(cores):
        process = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, env=environment, stdout=kept, stderr=kept)
    try:
        if url is not None:
            _until_up(url, process, log)
        yield process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _until_up(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + UP_SECONDS_MAX
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(url, timeout=5):
                return
        except (HTTPError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"nobody answers at {url}:\n{log.read_text(errors='replace')[-3000:]}")
