"""A whole system for tests: workers as processes of their own on the broker of the session, and what one does to them.

Each worker has a port, a name and a data directory; they share topics (by prefix), tokens and key. A worker that was fenced is
started again, as its supervisor would; one that ends for any other reason fails the test with the end of its log.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self
from urllib.parse import quote

import aiohttp
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from yarl import URL

from app.runtime.durable import EXIT_FENCED
from app.supervisor import Child
from tests.ports import LOOPBACK, free_port_pair

ROOT = Path(__file__).resolve().parents[2]
READ, ADMIN, KEY = "reader-of-tests", "admin-of-tests", "a key for tests, long enough"
READY_SECONDS, SETTLED_SECONDS, STOPPED_SECONDS = 120.0, 120.0, 20.0
POLL_SECONDS = 0.1
LOG_SHOWN = 3_000


class Told(Protocol):
    """Something a business system writes: bytes (or nothing) for the topic of a channel."""

    @property
    def channel(self) -> str: ...
    @property
    def record(self) -> bytes | None: ...


class Answer(NamedTuple):
    """What a worker answered; `body` is decoded JSON where it is JSON, else text."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Unreachable(Exception):
    """Nobody listens there."""


class Worker:
    """One worker process. `kill` is kill -9; `freeze` and `thaw` are SIGSTOP and SIGCONT."""

    command: tuple[str, ...] = (sys.executable, "-m", "faust", "-A", "app.main", "worker", "-l", "info")

    def __init__(self, name: str, port: int, data: Path, environment: Mapping[str, str]) -> None:
        self.name, self.url, self.data = name, f"http://{LOOPBACK}:{port}", data
        own = {"ONETRAIL_DATA": str(data), "ONETRAIL_WEB_PORT": str(port), "ONETRAIL_WORKER": name}
        self.log = data.parent / f"{name}.log"
        self.starts = 0
        self._stays_down = False
        self._child = Child(name, self.command, {**os.environ, **environment, **own}, self.log)

    def start(self) -> None:
        """Returns at once; `System.ready` waits."""
        self.starts += 1
        self._stays_down = False
        self._child.start()

    def kill(self) -> None:
        if self.alive:
            self._send(signal.SIGKILL)
            self._child.end()

    def stop(self) -> None:
        self._stays_down = True
        self._child.end()

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def wipe(self) -> None:
        """Its disk is lost."""
        shutil.rmtree(self.data, ignore_errors=True)

    @property
    def alive(self) -> bool:
        return self.starts > 0 and self._child.exit_code() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs, and before its first start."""
        return self._child.exit_code() if self.starts else None

    @property
    def pid(self) -> int:
        assert self._child.pid is not None
        return self._child.pid

    def keep(self) -> None:
        """Starts it again if it was fenced; AssertionError if it ended in another way, neither killed nor asked to."""
        if self.starts == 0 or self._stays_down or (code := self._child.exit_code()) is None or code == -signal.SIGKILL:
            return
        assert code == EXIT_FENCED, f"{self.name} ended with code {code}:\n{self.tail()}"
        self.start()

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-LOG_SHOWN:] if self.log.exists() else ""

    def _send(self, what: signal.Signals) -> None:
        os.kill(self.pid, what)


class System:
    """Workers, a way in (Kafka) and a way to ask (HTTP)."""

    def __init__(self, bootstrap: str, prefix: str, root: Path, producer: AIOKafkaProducer, http: aiohttp.ClientSession) -> None:
        self.bootstrap, self.prefix, self.root = bootstrap, prefix, root
        self.environment: dict[str, str] = {}
        """Settings of all workers made from now on, beside those that every test has."""
        self._producer, self._http = producer, http
        self.workers: list[Worker] = []

    @classmethod
    @asynccontextmanager
    async def run(cls, bootstrap: str, prefix: str, root: Path) -> AsyncIterator[Self]:
        """No worker yet; all that were made end with the context."""
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)))
            producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=2)
            await producer.start()
            stack.push_async_callback(_stopped, producer)
            system = cls(bootstrap, prefix, root, producer, http)
            stack.callback(system._end)
            yield system

    @property
    def settings(self) -> dict[str, str]:
        """Those of every process of this system."""
        return {
            "ONETRAIL_KAFKA": self.bootstrap,
            "ONETRAIL_PREFIX": self.prefix,
            "ONETRAIL_READ_TOKEN": READ,
            "ONETRAIL_ADMIN_TOKEN": ADMIN,
            "ONETRAIL_PII_KEY": KEY,
            "PYTHONPATH": str(ROOT),
            **self.environment,
        }

    def configure(self, text: str) -> None:
        """The configuration of all workers made from now on."""
        file = self.root / "own.toml"
        file.write_text(text, encoding="utf-8")
        self.environment["ONETRAIL_CONFIG"] = str(file)

    def worker(self, kind: type[Worker] = Worker, **more: str) -> Worker:
        """One more worker, not started; `more` is added to its environment."""
        name = f"{self.prefix}-{len(self.workers)}"
        worker = kind(name, free_port_pair(), self.root / name, {**self.settings, **more})
        self.workers.append(worker)
        return worker

    async def started(self) -> Worker:
        """One more worker, which answers."""
        worker = self.worker()
        worker.start()
        await self.ready(worker)
        return worker

    def _end(self) -> None:
        for worker in self.workers:
            if worker.alive:
                worker.thaw()
                worker.stop()

    async def ready(self, *workers: Worker, seconds: float = READY_SECONDS) -> None:
        """Waits until these own their partitions and answer."""
        end = time.monotonic() + seconds
        for worker in workers:
            while not await self._is_ready(worker):
                worker.keep()
                assert time.monotonic() < end, f"{worker.name} is not ready:\n{worker.tail()}"
                await asyncio.sleep(POLL_SECONDS)

    async def _is_ready(self, worker: Worker) -> bool:
        try:
            return (await self.get("/readyz", worker)).status == 200
        except Unreachable:
            return False

    async def settled(self, seconds: float = SETTLED_SECONDS) -> dict[str, Any]:
        """Waits until all that was acknowledged before is visible; the status document."""
        end = time.monotonic() + seconds
        while not (status := await self.status()).get("settled"):
            for worker in self.workers:
                worker.keep()
            assert time.monotonic() < end, f"not settled: {status}\n" + "\n".join(worker.tail() for worker in self.workers)
            await asyncio.sleep(POLL_SECONDS)
        return status

    async def status(self) -> dict[str, Any]:
        """The status document, or why there is none."""
        worker = next((worker for worker in self.workers if worker.alive), None)
        if worker is None:
            return {"unreachable": "no worker lives"}
        try:
            answer = await self.get("/v1/status", worker)
        except Unreachable as why:
            return {"unreachable": str(why)}
        return dict(answer.body)

    # Asking

    async def get(
        self, path: str, worker: Worker | None = None, token: str | None = READ, method: str = "GET", body: bytes | None = None
    ) -> Answer:
        """Asks for a path that is encoded already; token None = no Authorization header. Raises Unreachable."""
        asked = (worker or self.workers[0]).url + path
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            async with self._http.request(method, URL(asked, encoded=True), headers=headers, data=body) as answer:
                text = await answer.text()
                is_json = answer.content_type == "application/json" and text != ""
                return Answer(answer.status, answer.headers, json.loads(text) if is_json else text)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{asked}: {error!r}") from None

    async def known(self, path: str, worker: Worker | None = None) -> Any:
        """The body of an answer that must be 200."""
        answer = await self.get(path, worker)
        assert answer.status == 200, f"{path}: {answer.status} {answer.body}"
        return answer.body

    async def walk(self, path: str, limit: int, query: str = "", worker: Worker | None = None) -> list[dict[str, Any]]:
        """All items of a journey, page by page."""
        items: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await self.known(f"{path}?limit={limit}{query}{cursor}", worker)
            assert len(page["items"]) <= limit
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = "&cursor=" + quote(page["next"], safe="")

    # Telling

    def topic(self, name: str) -> str:
        """A full name."""
        return f"{self.prefix}.{name}"

    async def tell(self, told: Iterable[Told], rate: float | None = None) -> None:
        """Returns when all is acknowledged. `rate` in events a second."""
        acks, begun = [], time.monotonic()
        for number, one in enumerate(told):
            acks.append(await self._producer.send(self.topic(f"behaviour.{one.channel}"), one.record))
            if rate is not None and (early := begun + number / rate - time.monotonic()) > 0:
                await asyncio.sleep(early)
        await asyncio.gather(*acks)

    async def put(self, topic: str, value: bytes | None, partition: int | None = None) -> tuple[int, int]:
        """Writes one record; (partition, offset)."""
        metadata = await self._producer.send_and_wait(self.topic(topic), value, key=b"any", partition=partition)
        return metadata.partition, metadata.offset

    async def read(self, topic: str) -> list[Any]:
        """All records that a topic holds now."""
        reading = AIOKafkaConsumer(self.topic(topic), bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        async with reading as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            records: list[Any] = []
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for found in (await consumer.getmany(timeout_ms=200)).values():
                    records += found
            return records


async def _stopped(producer: AIOKafkaProducer) -> None:
    """It would wait for ever for the acknowledgements of a broker that is gone, and hide why a test failed."""
    with suppress(TimeoutError):
        async with asyncio.timeout(STOPPED_SECONDS):
            await producer.stop()


def path_of(route: str, namespace: str, value: str) -> str:
    """`/v1/<route>/<namespace>/<value>`, percent-encoded."""
    return f"/v1/{route}/{quote(namespace, safe='')}/{quote(value, safe='')}"
