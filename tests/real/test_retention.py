"""Retention on the whole chain: what is too old leaves the timelines, still counts, and is not let in again."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from app.broker import Broker
from app.settings import PACKAGED_CONFIG
from tests.real.crowd import Behaviour
from tests.real.system import System, Worker, path_of

DAY_MS = 86_400_000
ANN = ("user_id", "ann")
AGED_SECONDS_MAX = 60.0


@pytest.mark.asyncio
async def test_old_events_leave_the_timeline_and_still_count(broker: Broker, tmp_path: Path) -> None:
    now_ms = round(time.time() * 1_000)
    old, new = behaviour("old", now_ms - 40 * DAY_MS), behaviour("new", now_ms - 20 * DAY_MS)
    async with System.run(broker.bootstrap, "retention", tmp_path) as system:
        first = await system.started()
        await system.tell([old, new])
        await system.settled()
        assert await shown(system, first) == (["old", "new"], 2, True)
        first.kill()
        packaged = PACKAGED_CONFIG.read_text(encoding="utf-8")
        system.configure(packaged.replace("[journey]\n", "[journey]\nkeep_days = 30\n", 1))
        second = await system.started()
        await aged(system, second)
        assert await shown(system, second) == (["new"], 2, False)
        await system.tell([old, behaviour("late", old.occurred_at)])
        await system.settled()
        assert await shown(system, second) == (["new"], 2, False)
        came = {(record.partition, record.offset): record.value for record in await system.read("behaviour.web")}
        rejected = [(dict(record.headers), record.value) for record in await system.read("behaviour.rejected")]
        # One more if the first worker had not committed it: under another configuration it is read as something new.
        assert [told["reason"] for told, _ in rejected] in ([b"too_old"] * 2, [b"too_old"] * 3)
        assert {told["source_topic"].decode() for told, _ in rejected} == {system.topic("behaviour.web")}
        assert [came[int(told["source_partition"]), int(told["source_offset"])] for told, _ in rejected] == [
            raw for _, raw in rejected
        ]
        assert {told["event_id"] for told, _ in rejected} == {b"old", b"late"}


def behaviour(event_id: str, at: int) -> Behaviour:
    """What Ann did at a time in UTC milliseconds."""
    return Behaviour("web", event_id, "page_viewed", at, (ANN,))


async def aged(system: System, worker: Worker) -> None:
    """Waits until the timer has come, shortly after the worker is ready."""
    end = time.monotonic() + AGED_SECONDS_MAX
    while (await shown(system, worker))[2]:
        assert time.monotonic() < end, "no timer came"
        await asyncio.sleep(0.1)


async def shown(system: System, worker: Worker) -> tuple[list[Any], int, bool]:
    """The events of Ann's timeline, how many count, and whether all are listed."""
    journey = await system.known(path_of("journeys", *ANN), worker)
    return [item["event_id"] for item in journey["items"]], journey["events"], journey["listed_since"] is None
