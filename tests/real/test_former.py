"""State of an earlier program: no worker touches it, nobody switches to it, and it is dropped when another is in use."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import NewTopic

from app.administration import administering
from app.broker import Broker
from app.former import is_former, names
from app.generation import choose
from app.rebuild.switch import NoSuch, back, drop, switch
from app.runtime.durable import EXIT_UNUSABLE
from app.topics import create
from tests.real.system import System
from tests.real.test_topics import SMALL, config_of, make, settings_for

ENDED_SECONDS_MAX = 60.0


@pytest.mark.parametrize(("prefix", "topic"), [("heard", "heard.identity.inbox"), ("kept", "kept-journey-changelog")])
async def test_a_worker_refuses_it_in_one_sentence(broker: Broker, tmp_path: Path, prefix: str, topic: str) -> None:
    await make(settings_for(broker, tmp_path, prefix), NewTopic(topic, 1, 1))
    async with System.run(broker.bootstrap, prefix, tmp_path) as system:
        worker = system.worker()
        worker.start()
        end = time.monotonic() + ENDED_SECONDS_MAX
        while worker.exit_code is None:
            assert time.monotonic() < end, worker.tail()
            await asyncio.sleep(0.2)
        assert (worker.exit_code, "state 0 is of an earlier onetrail" in worker.log.read_text()) == (EXIT_UNUSABLE, True)


async def test_one_leaves_it_when_its_workers_are_gone_and_does_not_come_back(broker: Broker, tmp_path: Path) -> None:
    settings, config = settings_for(broker, tmp_path, "left"), config_of(tmp_path, SMALL)
    await make(settings, NewTopic("left.identity.inbox", 1, 1))
    built = replace(settings, generation=1, shadow=True)
    for one in (settings, built):
        await create(one, config)
    await choose(settings, 0, 1, None)
    assert (await is_former(settings), await is_former(built)) == (True, False)

    async with AIOKafkaConsumer("left.identity.inbox", bootstrap_servers=broker.bootstrap, group_id="left") as old:
        await old.getmany(timeout_ms=100)
        with pytest.raises(NoSuch, match="1 workers of an earlier onetrail still run: stop them"):
            await switch(settings, None)
    assert (await switch(settings, None)).current == 1
    with pytest.raises(NoSuch, match="state 0 is of an earlier onetrail, and only that one can use it"):
        await back(settings)

    assert "left.identity.inbox" in await drop(settings, config)
    async with administering(broker.bootstrap) as admin:
        there = set(await admin.list_topics())
    assert names(settings).isdisjoint(there)
    assert {"left.g1.people.inbox", "left.behaviour.web", "left.requests"} <= there
