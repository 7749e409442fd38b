"""The broker goes away for twenty seconds under load, with the collector before it and a worker behind it.

Senders do as SDKs do: what is not answered with 200 is sent again. What was acknowledged is in the journey once; in the outage
everybody is told so in time.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from app.broker import Broker
from tests.real.collecting import Collector
from tests.real.regroup import regrouped
from tests.real.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")

OUTAGE_SECONDS, ANSWER_SECONDS_MAX = 20.0, 5.0
SENDERS, PAUSE_SECONDS = 4, 0.1
PERSON = "u-outage"


class Answer(NamedTuple):
    """Of one request: which event, asked when, answered when and how."""

    event_id: str
    asked: float
    answered: float
    status: int


class Load:
    """Senders that send one event after the other, each until it is acknowledged."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url, self._http = url, http
        self.answers: list[Answer] = []
        self.is_over = False

    async def send(self, name: str) -> None:
        number, is_acknowledged = 0, True
        while not (self.is_over and is_acknowledged):
            is_acknowledged = (await self._sent(f"{name}-{number}")).status == 200
            number += is_acknowledged
            await asyncio.sleep(PAUSE_SECONDS)

    async def _sent(self, event_id: str) -> Answer:
        event = {"event_id": event_id, "event": "seen", "occurred_at": 1_790_000_000, "identifiers": {"user_id": PERSON}}
        asked = time.monotonic()
        async with self._http.post(f"{self._url}/v1/events?token=dev-web", json=[event]) as response:
            await response.read()
        self.answers.append(Answer(event_id, asked, time.monotonic(), response.status))
        return self.answers[-1]


@pytest_asyncio.fixture(loop_scope="module")
async def system(own_broker: Broker, tmp_path: Path) -> AsyncIterator[System]:
    async with System.run(own_broker.bootstrap, "outage", tmp_path) as running:
        await running.started()
        yield running


async def test_twenty_seconds_without_a_broker_lose_and_double_nothing(
    own_broker: Broker, system: System, tmp_path: Path
) -> None:
    with Collector.run(own_broker, tmp_path, "outage") as collector:
        async with aiohttp.ClientSession() as http:
            load = Load(collector.url, http)
            senders = [asyncio.create_task(load.send(f"s{number}")) for number in range(SENDERS)]
            await asyncio.sleep(2)
            gone = time.monotonic()
            await asyncio.to_thread(own_broker.kill)
            await asyncio.sleep(OUTAGE_SECONDS)
            back = time.monotonic()
            await asyncio.to_thread(own_broker.start)
            await asyncio.sleep(3)
            load.is_over = True
            await asyncio.gather(*senders)
    await regrouped(system)
    items = await system.walk(f"/v1/journeys/user_id/{PERSON}", limit=1_000)
    acknowledged = [answer.event_id for answer in load.answers if answer.status == 200]
    assert sorted(item["event_id"] for item in items) == sorted(acknowledged)
    assert {answer.status for answer in load.answers} == {200, 503}
    assert any(answer.answered < gone for answer in load.answers)
    assert any(answer.asked > back and answer.status == 200 for answer in load.answers)
    meanwhile = [answer for answer in load.answers if answer.asked > gone + 1 and answer.answered < back]
    assert {answer.status for answer in meanwhile} == {503}, "nothing was acknowledged before it was durable"
    assert max(answer.answered - answer.asked for answer in meanwhile) < ANSWER_SECONDS_MAX
