"""The system under fire: broker, collector and workers, and a supervisor that starts again whatever ends.

Broker and workers lie on small file systems of their own (tmpfs) where we may mount them, so that a full disk is one; else a
worker's files may not grow any more (RLIMIT_FSIZE), which is what a quota does.
"""

import asyncio
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.broker import Broker, BrokerError
from app.supervisor import Death, pause
from tests.ports import LOOPBACK, free_port_pair
from tests.real.collecting import Collector
from tests.real.system import System, Unreachable, Worker

PREFIX = "fire"
PAUSE_SECONDS_MAX = 8.0
TEND_SECONDS = 0.2
PARTITIONS = 8
READY_SECONDS_MAX = 150.0
BROKER_BYTES, WORKERS_BYTES = 3 << 30, 1 << 30


class ScorchedWorker(Worker):
    """One whose clock can be set and whose rules can be broken."""

    command = (sys.executable, "-m", "tests.fire.worker", "-A", "app.main", "worker", "-l", "info")


class Site:
    """What is on fire. `exits`: (process, exit code) -> how often it ended without our doing; `wanted`: who should be up."""

    partitions = PARTITIONS
    """Of every table; as in the packaged configuration."""

    def __init__(self, root: Path, broker: Broker, system: System, mounted: bool, **more: str) -> None:
        self.root, self.broker, self.system, self.mounted, self._more = root, broker, system, mounted, more
        self.exits: Counter[tuple[str, int]] = Counter()
        self.wanted: list[Worker] = []
        self.hands_off: set[str] = set()
        """The processes that a fault keeps down."""
        self._deaths: dict[str, list[Death]] = {}
        self._due: dict[str, float] = {}
        self._broker_turn = asyncio.Lock()
        self._tending: asyncio.Task[None] | None = None
        self.collector = Collector(broker, self._made("collector"), PREFIX)

    @classmethod
    @asynccontextmanager
    async def run(cls, root: Path, **more: str) -> AsyncIterator[Self]:
        """A broker and a collector; no worker yet. `more` is added to the environment of workers."""
        async with AsyncExitStack() as stack:
            mounted = all([_mounted(stack, root / "broker", BROKER_BYTES), _mounted(stack, root / "workers", WORKERS_BYTES)])
            broker = Broker(LOOPBACK, free_port_pair(), root)
            broker.start()
            stack.callback(broker.stop)
            system = await stack.enter_async_context(System.run(broker.bootstrap, PREFIX, root / "workers"))
            site = cls(root, broker, system, mounted, **more)
            stack.callback(site._end)
            site._tending = asyncio.create_task(site._tend())
            stack.callback(site._tending.cancel)
            yield site

    def _made(self, name: str) -> Path:
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _end(self) -> None:
        for process in (self.collector.process, *self._stopped()):
            process.send_signal(signal.SIGCONT)
        self.collector.kill()

    def _stopped(self) -> list["subprocess.Popen[bytes]"]:
        return [] if self.broker._process is None else [self.broker._process]

    # Processes

    def add(self) -> Worker:
        """One more worker, started."""
        clock = self.root / f"clock-{len(self.system.workers)}"
        worker = self.system.worker(ScorchedWorker, ONETRAIL_FIRE_CLOCK=str(clock), **self._more)
        self.wanted.append(worker)
        worker.start()
        return worker

    def clock_of(self, worker: Worker) -> Path:
        """The file that says by how much a worker's wall clock is wrong."""
        return self.root / f"clock-{self.system.workers.index(worker)}"

    async def _tend(self) -> None:
        while True:
            now = time.monotonic()
            for worker in self.wanted:
                if worker.name not in self.hands_off and worker.exit_code is not None:
                    self._mourn(worker.name, worker.exit_code, now, worker.start)
            if "collector" not in self.hands_off and (code := self.collector.process.poll()) is not None:
                self._mourn("collector", code, now, self._collect)
            if "broker" not in self.hands_off and not self.broker.running:
                self.exits["broker", 1] += 1
                await self.start_broker()
            await asyncio.sleep(TEND_SECONDS)

    def _mourn(self, name: str, code: int, now: float, start: Callable[[], None]) -> None:
        deaths = self._deaths.setdefault(name, [])
        if name not in self._due:
            deaths.append(Death(now, code))
            if code != -signal.SIGKILL:
                self.exits[name, code] += 1
            seconds = pause(deaths, now)
            self._due[name] = now + (PAUSE_SECONDS_MAX if seconds is None else seconds)
        if now >= self._due[name]:
            del self._due[name]
            start()

    def _collect(self) -> None:
        self.collector = Collector(self.broker, self.root / "collector", PREFIX, self.collector.port)

    async def start_broker(self) -> None:
        """Until it answers; a full disk may keep it from that for a while. A fault and the supervisor take turns."""
        async with self._broker_turn:
            while not self.broker.running:
                with suppress(BrokerError):
                    await asyncio.to_thread(self._start_broker)
                    return
                await asyncio.sleep(1)

    async def kill_broker(self) -> None:
        """kill -9; one that is being started gets up first."""
        async with self._broker_turn:
            self.broker.kill()

    def _start_broker(self) -> None:
        self.broker.kill()
        self.broker.start()

    def broker_signal(self, what: signal.Signals) -> None:
        """To Kafka's own process, where it runs."""
        for process in self._stopped():
            process.send_signal(what)

    # Waiting and asking

    async def ready(self) -> None:
        """Waits until all that should be up is, and owns what it should."""
        end = time.monotonic() + READY_SECONDS_MAX
        while not all([await self.is_ready(worker) for worker in self.wanted]):
            assert self._tending is None or not self._tending.done(), f"the supervisor has ended: {self._tending}"
            assert time.monotonic() < end, "not ready again:\n" + "\n".join(worker.tail() for worker in self.wanted)
            await asyncio.sleep(TEND_SECONDS)

    async def is_ready(self, worker: Worker) -> bool:
        if not worker.alive:
            return False
        try:
            return (await self.system.get("/readyz", worker)).status == 200
        except Unreachable:
            return False

    async def ends(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Where partitions end."""
        async with AIOKafkaConsumer(bootstrap_servers=self.broker.bootstrap) as consumer:
            found: dict[TopicPartition, int] = await consumer.end_offsets(tps)
            return found

    # Disks

    @asynccontextmanager
    async def full(self, place: str) -> AsyncIterator[None]:
        """The disk of `place` (broker, workers) is full within the block."""
        if not self.mounted:
            with _growing_forbidden(self.wanted):
                yield
            return
        filler = self.root / place / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        try:
            yield
        finally:
            filler.unlink()


class _growing_forbidden:  # noqa: N801  # a context manager, used as one
    """No file of these workers may grow."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers = workers

    def __enter__(self) -> None:
        for worker in self._workers:
            resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            if worker.alive:
                resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _mounted(stack: AsyncExitStack, path: Path, size: int) -> bool:
    """Mounts a tmpfs where we may; unmounted when the stack is left."""
    path.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "onetrail-fire", str(path)]
    with suppress(FileNotFoundError):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            stack.callback(subprocess.run, ["umount", "--lazy", str(path)], check=False)
            return True
    return False
