"""The runtime on a real broker: the fence, appends that are all or nothing, topic ids, and counts that survive kill -9."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.broker import Broker
from app.runtime.durable import EXIT_FENCED, Fenced, Producer, Record, TooLarge
from app.runtime.packs import Packed
from app.runtime.topic_ids import topic_ids
from tests.real.counting import BATCH_BYTES, PARTITIONS
from tests.real.crew import COMPACTED, changelog, create, crew, events, folded, on_disk, settled

GONE_SECONDS_MAX = 30.0
"""Until a deleted topic is gone from every list."""


@pytest_asyncio.fixture
async def durable(broker: Broker) -> AsyncIterator[Producer]:
    """Our producer around a client of its own, without Faust."""
    client = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap,
        acks="all",
        enable_idempotence=True,
        max_batch_size=BATCH_BYTES,
        max_request_size=BATCH_BYTES + 65_536,
    )
    async with client:
        producer = object.__new__(Producer)
        vars(producer).update(_ensure_producer=lambda: client)
        yield producer


async def test_an_append_lands_behind_the_last_one_or_is_fenced(
    broker: Broker, admin: AIOKafkaAdminClient, durable: Producer
) -> None:
    await admin.create_topics([NewTopic("fenced", 1, 1, topic_configs=COMPACTED)])
    last = await durable.append("fenced", 0, [(b"a", b"1"), (b"b", b"1")], -1)
    assert last == 1
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as stale:
        await stale.send_and_wait("fenced", b"a stale writer's", key=b"a")
    with pytest.raises(Fenced, match="expected offset 2, landed at 3"):
        await durable.append("fenced", 0, [(b"a", b"2")], last)
    assert [value for _, _, value in await changelog(broker, "fenced", 0)] == [b"1", b"1", b"a stale writer's", b"2"]


async def test_what_does_not_fit_into_one_batch_is_not_written_at_all(
    broker: Broker, admin: AIOKafkaAdminClient, durable: Producer
) -> None:
    await admin.create_topics([NewTopic("large", 1, 1, topic_configs=COMPACTED)])
    rows = [(b"%d" % n, bytes(500_000)) for n in range(9)]
    with pytest.raises(TooLarge):
        await durable.append("large", 0, rows, -1)
    assert await durable.append("large", 0, rows[:8], -1) == 7
    assert len(await changelog(broker, "large", 0)) == 8


async def test_publishing_keeps_the_order_of_rounds(broker: Broker, admin: AIOKafkaAdminClient, durable: Producer) -> None:
    await admin.create_topics([NewTopic("rounds", 2, 1)])
    rounds = [[Packed("rounds", 0, b"%d" % n), Packed("rounds", 1, b"%d" % n)] for n in range(5)]
    await durable.publish([Record("rounds", None, b"first", (("why", b"so"),), 0)], rounds)
    assert [value for _, _, value in await changelog(broker, "rounds", 0)] == [b"first", b"0", b"1", b"2", b"3", b"4"]
    assert [value for _, _, value in await changelog(broker, "rounds", 1)] == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_topic_made_again_has_another_id(broker: Broker, admin: AIOKafkaAdminClient) -> None:
    await admin.create_topics([NewTopic("again", 1, 1), NewTopic("other", 1, 1)])
    before = await topic_ids(broker.bootstrap, {}, ["again", "other"])
    await admin.delete_topics(["again"])
    end = time.monotonic() + GONE_SECONDS_MAX
    while "again" in await admin.list_topics():
        assert time.monotonic() < end
        await asyncio.sleep(0.1)
    await admin.create_topics([NewTopic("again", 1, 1)])
    after = await topic_ids(broker.bootstrap, {}, ["again", "other"])
    assert before["again"] != after["again"]
    assert before["other"] == after["other"]


async def test_an_unknown_topic_has_no_id(broker: Broker) -> None:
    with pytest.raises(LookupError, match="topic nowhere is not there"):
        await topic_ids(broker.bootstrap, {}, ["nowhere"])


async def test_counts_survive_kill_9_with_and_without_the_data_directory(
    broker: Broker, admin: AIOKafkaAdminClient, tmp_path: Path
) -> None:
    await create(admin, "killed")
    async with crew(broker, "killed", tmp_path, ["w0"]) as workers:
        async with events(broker, "killed") as sent:
            for kill in range(5):
                await asyncio.sleep(random.uniform(2, 4))
                workers.restart("w0", lose_data=kill % 2 == 1)
        assert await settled(broker, "killed", sent) == sent
        assert await workers.end("w0") == 0
        for partition in range(PARTITIONS):
            assert on_disk(tmp_path / "w0", partition) == (await folded(broker, "killed", partition)).rows


async def test_counts_survive_a_worker_that_wakes_after_another_took_over(
    broker: Broker, admin: AIOKafkaAdminClient, tmp_path: Path
) -> None:
    await create(admin, "woken")
    async with crew(broker, "woken", tmp_path, ["w0", "w1"]) as workers:
        async with events(broker, "woken") as sent:
            await asyncio.sleep(7)
            await workers.sleep_at_append("w1", 9)
            await asyncio.sleep(3)
        assert await settled(broker, "woken", sent) == sent
        assert ("w1", EXIT_FENCED) in workers.ended
