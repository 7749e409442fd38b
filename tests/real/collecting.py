"""A collector in a process of its own, asked over HTTP, and what it wrote, read from the broker."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.broker import Broker
from tests.ports import LOOPBACK, free_port_pair

READY_SECONDS = 90.0
CHANNEL_PARTITIONS = 2
"""As in the packaged configuration."""
FOREGROUND = """
from app import collector
from app.config import load
from app.settings import Settings
settings = Settings.from_environment()
collector.run(settings, load(settings.config))
"""


class Collector:
    """A collector in a process of its own; `url` is where it listens."""

    def __init__(
        self,
        broker: Broker,
        data: Path,
        prefix: str,
        port: int | None = None,
        kafka: str | None = None,
        config: Path | None = None,
    ) -> None:
        self.port = port or free_port_pair()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.prefix = prefix
        own = {"KAFKA": kafka or broker.bootstrap, "DATA": str(data), "COLLECT_PORT": str(self.port), "PREFIX": prefix}
        if config is not None:
            own["CONFIG"] = str(config)
        self.log = data / "collector.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", FOREGROUND],
                env={**os.environ, **{f"ONETRAIL_{name}": value for name, value in own.items()}},
                stdout=log,
                stderr=log,
            )

    @classmethod
    @contextmanager
    def run(cls, broker: Broker, data: Path, prefix: str, **more: Any) -> Iterator[Self]:
        """One that reaches Kafka, until the block is left."""
        started = cls(broker, data, prefix, **more)
        try:
            started.until_ready()
            yield started
        finally:
            started.kill()

    def until_ready(self) -> None:
        """Returns when Kafka is reached."""
        until(lambda: status_of(f"{self.url}/readyz") == 200, READY_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, end: signal.Signals = signal.SIGTERM) -> int:
        """The exit code after a stop signal."""
        self.process.send_signal(end)
        return self.process.wait(timeout=20)


def post(url: str, body: Any, key: str = "dev-web") -> tuple[int, Any]:
    """Posts canonical events; status and JSON of the answer."""
    return post_to(f"{url}/v1/events", body, key)


def taken(url: str, body: Any, key: str = "dev-web") -> Any:
    """The answer when the events are durable: as SDKs do, sent again after a 503, as late as that asks for."""
    end = time.monotonic() + READY_SECONDS
    while (answer := post(url, body, key))[0] == 503:
        assert time.monotonic() < end, answer
        time.sleep(float(answer[1]["retry_after"]))
    assert answer[0] == 200, answer
    return answer[1]


def post_to(url: str, body: Any, key: str = "dev-web") -> tuple[int, Any]:
    """Status and JSON of the answer."""
    basic = base64.b64encode(f"{key}:".encode()).decode()
    request = Request(url, json.dumps(body).encode(), {"Authorization": f"Basic {basic}"})
    try:
        with urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        return error.code, {**json.load(error), "retry_after": error.headers["Retry-After"]}


def status_of(url: str) -> int:
    """0 = nobody listens."""
    try:
        with urlopen(url, timeout=10) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code
    except OSError:
        return 0


def until(what: Any, seconds: float = 30.0) -> None:
    """Returns when it is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "this did not come to pass"
        time.sleep(0.1)


def events_of(
    broker: Broker, prefix: str, channel: str = "web", partition_count: int = CHANNEL_PARTITIONS
) -> list[dict[str, Any]]:
    """All that is in the topic of a channel, those of each partition in order."""

    async def read() -> list[dict[str, Any]]:
        partitions = [TopicPartition(f"{prefix}.behaviour.{channel}", number) for number in range(partition_count)]
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
        async with consumer:
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[dict[str, Any]] = []
            while len(found) < sum(ends.values()):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [json.loads(record.value) for record in records]
            return found

    return asyncio.run(read())
