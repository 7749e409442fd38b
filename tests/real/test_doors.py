"""What operators see of the channels, and how what was turned away comes in after all: a collector, a worker, the command."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from app.broker import Broker
from tests.real.collecting import Collector, post_to
from tests.real.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = """
[topics]
partitions = 2
[identity.namespaces.user_id]
priority = 9
[identity.namespaces.anonymous_id]
priority = 1
[channels.web]
write_keys = ["dev-web"]
[channels.app]
[channels.store]
[channels.hotline]
[channels.iot]
[channels.crm]
format = "map"
write_keys = ["dev-crm"]
[channels.crm.map]
event = "type"
occurred_at = "meta.at"
[channels.crm.map.identifiers]
user_id = "customer.account"
"""
MENDED = (
    CONFIG
    + """
[identity.namespaces.card]
priority = 8
"""
)
"""With the namespace that somebody forgot."""


class Written(NamedTuple):
    channel: str
    record: bytes


class Doors(NamedTuple):
    """The collector, whose configuration lacks something, and a worker, whose has it."""

    system: System
    collector: Collector
    environment: dict[str, str]

    def onetrail(self, *words: str) -> tuple[Any, str]:
        """The JSON document of a command, and what else it says."""
        command = [sys.executable, "-m", "app.commands", *words, "--json"]
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def doors(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Doors]:
    place = tmp_path_factory.mktemp("doors")
    (place / "first.toml").write_text(CONFIG)
    with Collector.run(broker, place, "doors", config=place / "first.toml") as collector:
        async with System.run(broker.bootstrap, "doors", place) as system:
            system.configure(MENDED)
            await system.started()
            yield Doors(system, collector, system.settings | {"ONETRAIL_DATA": str(place / "command")})


def event(number: int, **more: object) -> dict[str, object]:
    return {"event_id": f"e{number}", "event": "seen", "identifiers": {"user_id": f"u{number}"}, **more}


async def test_coverage_tells_which_channels_are_silent(doors: Doors) -> None:
    """Six points of collection, events from five of them; what the sixth sent was rejected."""
    for number, channel in enumerate(("app", "store", "hotline")):
        await doors.system.tell([Written(channel, json.dumps(event(number)).encode())])
    await doors.system.tell([Written("iot", b"{"), Written("app", b'{"event": "nobody"}')])
    assert post_to(f"{doors.collector.url}/v1/events", [event(7), event(8), {"event": "nobody"}])[1]["accepted"] == 2
    call = {"type": "call", "meta": {"at": "2026-11-20T10:00:00Z"}, "customer": {"account": "u9"}}
    assert post_to(f"{doors.collector.url}/v1/events", call, "dev-crm")[1]["accepted"] == 1
    await doors.system.settled()
    seen, _ = doors.onetrail("channels")
    assert seen["coverage"] == 83.33
    shown = {one["channel"]: (one["events"], one["rejected"], one["silent"]) for one in seen["channels"]}
    assert shown == {
        "web": (2, {"no_identifier": 1}, False),
        "app": (1, {"no_identifier": 1}, False),
        "store": (1, {}, False),
        "hotline": (1, {}, False),
        "iot": (0, {"not_json": 1}, True),
        "crm": (1, {}, False),
    }
    assert all(one["last_seen"] for one in seen["channels"])
    asked = await doors.system.known("/v1/channels")
    assert (asked["coverage"], asked["channels"]) == (83.33, seen["channels"])


async def test_what_the_collector_refused_comes_in_when_the_fault_is_mended(doors: Doors) -> None:
    """A message of Segment's with an identifier that the collector's configuration lacks."""
    context = {"externalIds": [{"type": "card", "id": "c-77"}]}
    message = {"type": "track", "event": "paid", "messageId": "m-1", "timestamp": "2026-11-20T10:00:00Z"}
    batch = {"batch": [message], "context": context, "sentAt": "2026-11-20T10:00:00Z"}
    assert post_to(f"{doors.collector.url}/v1/batch", batch)[1]["rejected"] == [{"index": 0, "reason": "unknown_namespace"}]
    listed, _ = doors.onetrail("rejected", "--channel", "web", "--reason", "unknown_namespace")
    assert [item["source_topic"] for item in listed["items"]] == ["collector:web"]
    retried, told = doors.onetrail("rejected", "--retry", "--rule", "namespaces")
    assert (len(retried["items"]), "1 retried, 0 were retried before\n" in told) == (1, True)
    await doors.system.settled()
    (item,) = (await doors.system.known("/v1/journeys/card/c-77"))["items"]
    assert (item["event_id"], item["event"], item["channel"]) == ("m-1", "paid", "web")
    assert item["occurred_at"] == listed["items"][0]["at"], "sent at once, by its word: it occurred when it came"


async def test_a_history_from_a_table_is_marked_as_imported(doors: Doors, tmp_path: Path) -> None:
    """Times are in the channel's zone, and those of 2019; it makes no difference how often it is sent."""
    (tmp_path / "orders.toml").write_text(
        'event_id = "no"\noccurred_at = "paid"\nproperties = "*"\n'
        '[identifiers]\nuser_id = "account"\n[fixed]\nevent = "order_paid"\n'
    )
    rows = "no,paid,account,amount\n" + "".join(f"o{number},2019-05-0{number} 12:00,u-2019,{number}\n" for number in range(1, 6))
    (tmp_path / "orders.csv.gz").write_bytes(gzip.compress(rows.encode()))
    words = ("replay", str(tmp_path / "orders.csv.gz"), "--channel", "store", "--map", str(tmp_path / "orders.toml"), "--import")
    assert doors.onetrail(*words)[0]["items"][0]["sent"] == 5
    assert doors.onetrail(*words, "--again")[0]["items"][0]["sent"] == 5
    await doors.system.settled()
    items = (await doors.system.known("/v1/journeys/user_id/u-2019"))["items"]
    assert [(item["event_id"], item["occurred_at"], item["properties"], item["context"]) for item in items] == [
        (f"o{number}", f"2019-05-0{number}T12:00:00.000+08:00", {"amount": str(number)}, {"import": True})
        for number in range(1, 6)
    ]
