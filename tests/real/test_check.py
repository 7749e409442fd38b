"""`onetrail check` on a live system: right while it works, under guards, requests, duplicates and rejections; and wrong when a
row is lost."""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
import rocksdict

from app.broker import Broker
from app.runtime.rows import STAMP, RocksDBOptions
from app.settings import PACKAGED_CONFIG
from models.ids import Identifier, IdentifierKey, key_of
from models.requests import Asked, ErasureAsked, UnlinkAsked, encode
from tests.real.crowd import BEGIN_MS, Behaviour, Crowd
from tests.real.system import KEY, System, Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHANCE = random.Random(5)
CROWD = Crowd(seed=5, people=60)
PREFIX = "check"


class Checked(NamedTuple):
    """How the command ended."""

    code: int
    document: dict[str, Any]
    err: str


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Two workers that have seen everything that makes outcomes depend on an order."""
    async with System.run(broker.bootstrap, PREFIX, tmp_path_factory.mktemp(PREFIX)) as running:
        for worker in (running.worker(), running.worker()):
            worker.start()
        await running.ready(*running.workers)
        told = CROWD.events(600) + families(30)
        await running.tell(told)
        await running.tell([*told[:100], *later(told[100:200])])
        await running.put("behaviour.web", b"{")
        for asked in requests():
            await running.put("requests", encode(asked))
        await running.tell(CROWD.events(200) + families(30))
        yield running


def families(count: int) -> list[Behaviour]:
    """Who shares a tablet, and who has two accounts in one event's worth: links that guards refuse."""
    names = [(("device_id", f"tablet {CHANCE.randrange(4)}"), ("user_id", f"user {CHANCE.randrange(12)}")) for _ in range(count)]
    return [Behaviour("app", f"f{CHANCE.getrandbits(60)}", "page_viewed", BEGIN_MS, one) for one in names]


def later(told: list[Behaviour]) -> list[Behaviour]:
    """The same events, as a retry dates them."""
    return [Behaviour(one.channel, one.event_id, one.event, one.occurred_at + 5, one.names, one.more) for one in told]


def requests() -> list[Asked]:
    def key(namespace: str, value: str) -> IdentifierKey:
        return key_of(KEY.encode(), Identifier(namespace, value))

    parted = [("device_id", "device 3/1"), ("user_id", "user_id-3-客户")]
    return [UnlinkAsked("part", *sorted(key(*one) for one in parted)), ErasureAsked("forget", key("user_id", "user 2"))]


async def check(system: System, url: str | None = None, **environment: str) -> Checked:
    """The command with --json, run as its user does."""
    own = system.settings | {"ONETRAIL_WEB_URL": url or next(worker.url for worker in system.workers if worker.alive)}
    command = [sys.executable, "-m", "app.commands", "check", "--json"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=os.environ | own | environment, capture_output=True, text=True, timeout=200, check=False
    )
    return Checked(done.returncode, json.loads(done.stdout or "{}"), done.stderr)


async def test_right_while_events_arrive(system: System) -> None:
    checking = asyncio.create_task(check(system))
    while not checking.done():
        await system.tell(CROWD.events(50), rate=200)
    found = await checking
    assert (found.code, found.document["differences"]) == (0, []), found


async def test_right_at_rest_and_all_is_counted(system: System) -> None:
    status = await system.settled()
    found = await check(system)
    assert (found.code, found.document["differences"]) == (0, []), found.err
    assert set(found.document) == {"right", "people", "events", "differences"}
    assert (found.document["right"], found.document["events"]) == (True, status["events"])
    assert status["rejected"]["not_json"] == 1
    refused = [json.loads(record.value)["type"] for record in await system.read("identity.merges")]
    assert {"merged", "refused", "erased"} <= set(refused), "else the history is too simple"


async def test_right_under_a_changed_configuration(system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the former one read is still there; what it made of it (stages, anchors) is not judged by the new one."""
    own = tmp_path / "own.toml"
    text = PACKAGED_CONFIG.read_text(encoding="utf-8").replace('events = ["page_viewed"', 'events = ["order_paid"', 1)
    own.write_text(text.replace("priority = 100", "priority = 1", 1), encoding="utf-8")
    for worker in system.workers:
        worker.kill()
    monkeypatch.setenv("ONETRAIL_CONFIG", str(own))
    changed = await system.started()
    await system.tell(CROWD.events(50))
    await system.settled()
    found = await check(system)
    assert (found.code, found.document["differences"]) == (0, []), found.err
    assert "earlier configuration" in found.err
    changed.kill()


async def test_a_lost_row_is_found_and_named(system: System) -> None:
    """An entry vanishes from a worker's disk: its changelog is older than its rows, so nobody else would notice."""
    worker = system.workers[0]
    for other in system.workers:
        other.kill()
    worker.start()
    await system.ready(worker)
    await system.settled()
    worker.kill()
    lost = await asyncio.to_thread(lose_an_entry, worker)
    worker.start()
    await system.ready(worker)
    found = await check(system)
    assert (found.code, found.document["right"]) == (1, False)
    assert (lost, "nowhere") in {(one["event_id"], one["found"]) for one in found.document["differences"]}


def lose_an_entry(worker: Worker) -> str:
    """Deletes the first entry of a partition that has one; the id of its event."""
    for path in sorted(worker.data.glob("state/**/people-*.db")):
        with closing(rocksdict.Rdict(str(path), RocksDBOptions(use_rocksdict=True).as_options())) as rows:
            entries: Iterator[tuple[Any, Any]] = rows.items(from_key=b"t|")
            first = next(((key, row) for key, row in entries if key.startswith(b"t|") and len(row) > STAMP), None)
            if first is not None:
                rows[first[0]] = first[1][:STAMP]
                return str(first[0].decode().split("|", 3)[3])
    raise AssertionError("no partition has an entry")


async def test_what_hinders_it_is_said_in_one_line(system: System) -> None:
    for hindered, word in (
        (await check(system, url="http://127.0.0.1:9"), "nobody answers"),
        (await check(system, ONETRAIL_READ_TOKEN="another"), "401"),
        (await check(system, ONETRAIL_PII_KEY="another key, long enough"), "ONETRAIL_PII_KEY"),
    ):
        assert hindered.code == 1
        assert hindered.err.count("\n") == 1, hindered.err
        assert word in hindered.err
