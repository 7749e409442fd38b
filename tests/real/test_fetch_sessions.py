"""Fetch sessions with a real fetcher, on a real broker: answers name what has news, and no record is missed."""

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic

from app.administration import administering
from app.broker import Broker
from app.runtime.fetch_sessions import SessionClient

TOPIC = "fetched"
PARTITIONS = 40
PLACES = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]


class Witness:
    """A client whose answers are looked at."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.named: list[int] = []
        """Partitions in each answer to a fetch."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, *given: Any, **how: Any) -> Any:
        answer = await self._client.send(*given, **how)
        self.named.append(sum(len(partitions) for _, partitions in answer.topics))
        return answer


async def test_answers_name_what_has_news_and_a_broker_that_comes_back_knows_nothing(own_broker: Broker) -> None:
    async with administering(own_broker.bootstrap) as admin:
        await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    reading = AIOKafkaConsumer(bootstrap_servers=own_broker.bootstrap, fetch_max_wait_ms=50, retry_backoff_ms=50)
    async with AIOKafkaProducer(bootstrap_servers=own_broker.bootstrap) as producer, reading as consumer:
        fetcher = consumer._fetcher
        witness = Witness(fetcher._client)
        fetcher._client = SessionClient(witness)
        consumer.assign(PLACES)
        await consumer.seek_to_beginning()
        before = await read(consumer, await written(producer, range(100)))
        witness.named.clear()
        for number in range(100, 120):
            await read(consumer, await written(producer, [number]))
        assert max(witness.named) <= 1
        own_broker.kill()
        own_broker.start()
        witness.named.clear()
        after = await read(consumer, await written(producer, range(120, 220)))
        assert PARTITIONS in witness.named
        consumer.pause(*PLACES[1:])
        paused = await written(producer, range(220, 300))
        await read(consumer, [one for one in paused if int(one) % PARTITIONS == 0])
        consumer.resume(*PLACES[1:])
        await read(consumer, [one for one in paused if int(one) % PARTITIONS])
        await consumer.seek_to_beginning()
        await read(consumer, [*before, *[b"%d" % number for number in range(100, 120)], *after, *paused])


async def written(producer: AIOKafkaProducer, numbers: Sequence[int]) -> list[bytes]:
    """Each into the partition of its number, acknowledged."""
    values = [b"%d" % number for number in numbers]
    for number, value in zip(numbers, values, strict=True):
        await producer.send_and_wait(TOPIC, value, partition=number % PARTITIONS)
    return values


async def read(consumer: AIOKafkaConsumer, wanted: Sequence[bytes]) -> list[bytes]:
    """Reads as many records, each of which is wanted, once."""
    found: list[bytes] = []
    while len(found) < len(wanted):
        records = await consumer.getmany(timeout_ms=10_000)
        assert records, f"{len(found)} of {len(wanted)} came"
        found += [record.value for some in records.values() for record in some]
    assert sorted(found) == sorted(wanted)
    return found
