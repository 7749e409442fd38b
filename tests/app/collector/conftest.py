"""A collector that listens on loopback and delivers to a list instead of Kafka."""

import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from app.collector.lane import Unavailable
from app.collector.server import Collector, Server
from app.collector.sink import Sink
from app.config import load
from app.runtime.durable import Record
from app.settings import Settings

CONFIG = """
[identity.namespaces.user_id]
priority = 2
[identity.namespaces.anonymous_id]
priority = 1
[channels.web]
write_keys = ["key"]
namespaces = { userId = "user_id" }
[channels.slow]
write_keys = ["slow"]
rate = 1
[channels.crm]
format = "map"
write_keys = ["crm"]
[channels.crm.map]
event = "what"
[channels.crm.map.identifiers]
user_id = "who"
"""


class ListSink(Sink):
    """Acknowledges at once; `down` = Kafka is away."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.down = False

    async def deliver(self, records: Iterable[Record]) -> None:
        if self.down:
            raise Unavailable("Kafka did not acknowledge")
        self.records += records

    async def reachable(self) -> bool:
        return not self.down


@dataclass(frozen=True)
class Door:
    """The collector from outside, and what went into its topics."""

    http: aiohttp.ClientSession
    url: str
    sink: ListSink

    async def post(self, path: str, body: Any, key: str | None = "key", **headers: str) -> tuple[int, Any]:
        """Status and JSON of the answer; a body that is no bytes goes as JSON."""
        data = io.BytesIO(body if isinstance(body, bytes) else msgspec.json.encode(body))
        auth = {"Authorization": aiohttp.encode_basic_auth(key, "")} if key else {}
        async with self.http.post(self.url + path, data=data, headers={**auth, **headers}) as response:
            return response.status, await response.json()

    def events(self, channel: str = "web") -> list[Any]:
        """What the channel's topic got."""
        topic = f"onetrail.behaviour.{channel}"
        return [msgspec.json.decode(record.value or b"") for record in self.sink.records if record.topic == topic]

    def refused(self) -> list[tuple[bytes | None, dict[str, str]]]:
        """Raw bytes and headers of what `behaviour.rejected` got."""
        own = [record for record in self.sink.records if record.topic == "onetrail.behaviour.rejected"]
        return [(record.value, {name: value.decode() for name, value in record.headers}) for record in own]


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    file = tmp_path / "onetrail.toml"
    file.write_text(CONFIG)
    settings = Settings.from_environment({"ONETRAIL_DATA": str(tmp_path), "ONETRAIL_CONFIG": str(file)})
    sink = ListSink()
    runner = web.ServerRunner(Server(Collector(settings, load(file), sink).answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as http:
        yield Door(http, f"http://{host}:{port}", sink)
    await runner.cleanup()


@pytest.fixture
def event() -> dict[str, Any]:
    """A canonical event that nobody refuses."""
    return {"event_id": "1", "event": "login", "identifiers": {"user_id": "42"}}
