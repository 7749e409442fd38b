"""A second state from the log beside the one in use: it agrees with the log, another with it, uid by uid; and one can go back."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from app.broker import Broker
from models.requests import encode
from tests.real.crowd import BEGIN_MS, Behaviour, Crowd
from tests.real.system import System, Worker, path_of
from tests.real.test_check import check, families, requests

pytestmark = pytest.mark.asyncio(loop_scope="module")
PREFIX = "rebuild"
SECONDS_MAX = 400.0


class Supervised(Worker):
    """A worker as `onetrail up` runs it: the command, started again when it ends."""

    command = (sys.executable, "-m", "app.commands", "worker")

    def keep(self) -> None:
        if self._child.exit_code() is not None:
            self.start()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    root = tmp_path_factory.mktemp(PREFIX)
    async with System.run(broker.bootstrap, PREFIX, root) as running:
        worker = running.worker(Supervised)
        worker.start()
        await running.ready(worker, seconds=SECONDS_MAX)
        await running.tell(Crowd(seed=9, people=200).events(150))
        await in_turn(running, families(10))
        for asked in requests():
            await running.put("requests", encode(asked))
        await running.settled()
        await in_turn(running, [*families(10), behaviour("after", "new")])
        yield running


async def in_turn(system: System, told: list[Behaviour]) -> None:
    """One by one: who gets a shared tablet is decided by what is heard first, and partitions are heard in no order of the log."""
    for one in told:
        await system.tell([one])
        await system.settled()


def behaviour(event_id: str, user: str) -> Behaviour:
    return Behaviour("web", event_id, "page_viewed", BEGIN_MS, (("user_id", user),))


async def rebuild(system: System, *options: str) -> dict[str, Any]:
    """The command with --json; it must succeed."""
    command = [sys.executable, "-m", "app.commands", "rebuild", "--json", *options]
    own = system.settings | {"ONETRAIL_WEB_URL": system.workers[0].url, "ONETRAIL_DATA": str(system.root / "commands")}
    done = await asyncio.to_thread(
        subprocess.run, command, env=os.environ | own, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return dict(json.loads(done.stdout))


async def in_use(system: System, state: int) -> None:
    """Waits until the worker is one of that state."""
    name = f"{PREFIX}.g{state}.people.inbox" if state else f"{PREFIX}.people.inbox"
    end = time.monotonic() + SECONDS_MAX
    while name not in (await system.settled())["lag"]:
        assert time.monotonic() < end, "the worker stays what it was"
        await asyncio.sleep(0.2)


async def known_events(system: System, user: str) -> list[str]:
    found = await system.get(path_of("journeys", "user_id", user))
    return [] if found.status == 404 else [item["event_id"] for item in found.body["items"]]


async def test_a_state_is_built_switched_to_and_left_again(system: System) -> None:
    outside = {topic: len(await system.read(topic)) for topic in ("identity.merges", "behaviour.rejected", "journey.changes")}
    first = await rebuild(system)
    assert (first["right"], first["differences"], first["generation"]) == (True, [], 1)
    assert first["identifiers"]["gone"] == 0
    assert {topic: len(await system.read(topic)) for topic in outside} == outside, "nobody outside has heard of it"

    await rebuild(system, "--switch")
    await in_use(system, 1)
    assert await known_events(system, "user 2") == [], "who was erased stays erased"
    assert await known_events(system, "new") == ["after"]
    await system.tell([behaviour("later", "new")])
    await system.settled()
    assert await known_events(system, "new") == ["after", "later"]
    assert (await check(system)).document["right"]

    second = await rebuild(system)
    assert (second["right"], second["generation"]) == (True, 2)
    compared = second["identifiers"]
    assert (compared["other_uid"], compared["gone"], compared["new"]) == (0, 0, 0), "two rebuilds of one log are one state"

    await rebuild(system, "--back")
    await in_use(system, 0)
    assert await known_events(system, "new") == ["after", "later"], "it goes on where it stopped"

    gone = (await rebuild(system, "--drop"))["deleted"]
    assert f"{PREFIX}.g1.people.inbox" in gone
    assert f"{PREFIX}.people.inbox" not in gone
    assert (await check(system)).document["right"]
