"""Why fetches are short while there is work: with a real fetcher, on a real broker."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.broker import Broker
from app.runtime.patience import QUIET_MS, Patience

BACKLOG, QUIET = TopicPartition("patience-backlog", 0), TopicPartition("patience-quiet", 0)


async def test_records_that_nobody_took_for_a_while_do_not_hold_up_those_behind_them(
    broker: Broker, admin: AIOKafkaAdminClient
) -> None:
    await admin.create_topics([NewTopic(tp.topic, 1, 1) for tp in (BACKLOG, QUIET)])
    patience = Patience(lambda: True)
    reading = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, fetch_max_wait_ms=QUIET_MS)
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer, reading as consumer:
        consumer.assign([BACKLOG, QUIET])
        await consumer.seek_to_beginning()
        await producer.send_and_wait(BACKLOG.topic, b"first", partition=0)
        fetcher = consumer._fetcher
        patience.lose(fetcher)
        await asyncio.sleep(0.8)
        assert BACKLOG in fetcher._records  # so that it asks for the quiet topic alone
        assert await fetcher.fetched_records([BACKLOG, QUIET], timeout=1)
        await producer.send_and_wait(BACKLOG.topic, b"second", partition=0)
        begun = time.perf_counter()
        assert await fetcher.fetched_records([BACKLOG, QUIET], timeout=5)
    assert time.perf_counter() - begun < QUIET_MS / 1000 / 3
