"""Tells the system what happens, all the while: by Kafka and by the collector, again and again until it is acknowledged."""

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.fire.people import Cast
from tests.real.crowd import Behaviour

WRITE_KEYS = {"web": "dev-web", "app": "dev-app", "mini_program": "dev-mini-program"}
"""Of the packaged configuration; other channels are written to Kafka."""
PART_SECONDS = 0.25
UNDER_WAY_MAX = 40
RETRY_SECONDS = 0.5
ANSWER_SECONDS_MAX = 15.0
LARGE = 1_100_000


class Load:
    """Events of a cast at a rate, from `running` on. `refused` counts what was not acknowledged and had to be told again."""

    def __init__(self, bootstrap: str, prefix: str, collector: str, cast: Cast, rate: int) -> None:
        self._bootstrap, self._prefix, self._collector = bootstrap, prefix, collector
        self._cast, self._rate = cast, rate
        self._under_way: set[asyncio.Task[None]] = set()
        self._ends = False
        self._broken: list[BaseException] = []
        self._room = asyncio.Semaphore(UNDER_WAY_MAX)
        self.acknowledged, self.refused = 0, 0
        self.poison: dict[bytes, str] = {}
        """What is no event, and the reason that it must be rejected for."""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Not idempotent, as many business systems are: what it doubles must not count."""
        self._producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all", linger_ms=2, request_timeout_ms=10_000)
        timeout = aiohttp.ClientTimeout(ANSWER_SECONDS_MAX)
        async with self._producer, aiohttp.ClientSession(timeout=timeout) as self._http:
            yield

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tells until the block is left; then all of it is acknowledged."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._ends = True
            await task
            await asyncio.gather(*self._under_way)
            assert self._broken == [], f"told and never acknowledged: {self._broken[0]!r}"

    async def _run(self) -> None:
        due = time.monotonic()
        while not self._ends:
            await self._send(self._cast.events(int(self._rate * PART_SECONDS)))
            due = max(due + PART_SECONDS, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _send(self, events: Sequence[Behaviour]) -> None:
        posted: dict[str, list[Behaviour]] = {}
        written = []
        for number, event in enumerate(events):
            if number % 2 and event.channel in WRITE_KEYS:
                posted.setdefault(event.channel, []).append(event)
            else:
                written.append(event)
        for telling in (self.write(written), *(self._post(channel, part) for channel, part in posted.items())):
            await self._room.acquire()
            task = asyncio.create_task(telling)
            self._under_way.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._room.release()
        if (error := task.exception()) is not None:
            self._broken.append(error)

    async def write(self, events: Sequence[Behaviour]) -> None:
        """Writes events to their channels' topics; returns when all are acknowledged."""
        await self.put([(f"behaviour.{event.channel}", event.record) for event in events])
        self.acknowledged += len(events)
        self._cast.acknowledged(events)

    async def put(self, records: Sequence[tuple[str, bytes | None]]) -> None:
        """Writes records, again as a whole when one was not acknowledged."""
        while True:
            try:
                acks = [await self._put(f"{self._prefix}.{topic}", value) for topic, value in records]
                await asyncio.gather(*acks)
                return
            except KafkaError:
                self.refused += 1
                await asyncio.sleep(RETRY_SECONDS)

    async def _put(self, topic: str, value: bytes | None) -> Awaitable[Any]:
        """To any partition; a record without value must have a key."""
        ack: Awaitable[Any] = await self._producer.send(topic, value, key=secrets.token_bytes(4))
        return ack

    async def _post(self, channel: str, events: Sequence[Behaviour]) -> None:
        body = b"[" + b",".join(event.record for event in events) + b"]"
        while not await self._posted(channel, body):
            self.refused += 1
            await asyncio.sleep(RETRY_SECONDS)
        self.acknowledged += len(events)
        self._cast.acknowledged(events)

    async def _posted(self, channel: str, body: bytes) -> bool:
        headers = {"Authorization": f"Basic {base64.b64encode(f'{WRITE_KEYS[channel]}:'.encode()).decode()}"}
        try:
            async with self._http.post(f"{self._collector}/v1/events", data=body, headers=headers) as answer:
                told = await answer.json()
                assert answer.status in (200, 429, 503), f"the collector answers {answer.status} {told}"
                assert answer.status != 200 or told["rejected"] == [], told
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, ValueError):  # half an answer is none
            return False

    async def spoil(self, number: int) -> None:
        """Writes records that are no events, and one that Kafka itself refuses."""
        tag = b"poison %d" % number
        records = {
            tag: "not_json",
            b'["%s"]' % tag: "not_an_object",
            b'{"event_id": "%s"}' % tag: "missing_event",
            b'{"event": "%s"}' % tag: "no_identifier",
            b'{"event": "x", "identifiers": {"user_id": "null"}, "event_id": "%s"}' % tag: "blocked_identifier",
            b"\xff\xfe" + tag: "not_json",
            b'{"event": "x", "identifiers": {"user_id": "1"}, "event_id": "%s", "x": "%s"}' % (tag, b"y" * 900_000): "too_large",
            b"": "not_json",
        }
        self.poison.update(records)
        await self.put([("behaviour.hotline", record or None) for record in records])
        try:
            await self._producer.send_and_wait(f"{self._prefix}.behaviour.hotline", bytes(LARGE), key=b"any")
        except KafkaError:
            return
        raise AssertionError("Kafka took a record of more than its limit")
