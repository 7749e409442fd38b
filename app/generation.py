"""Which of several states of one log is in use: one record in a compacted topic, the newest of which holds.

A *generation* is everything that is derived from behaviour and requests: inboxes, changelogs, the group's offsets and the rows of
workers. All of it bears the generation's number in its names, so a second one is built beside the first (`onetrail rebuild`) and
neither touches the other. A worker is of one generation; when another one is chosen it ends, and starts again as one of that.
"""

from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from app.clock import now_ms
from app.settings import Settings

POLL_MS = 200


class Chosen(msgspec.Struct, frozen=True):
    """`newest` is the highest number that was ever given to a state; `at` in UTC milliseconds."""

    current: int = 0
    previous: int | None = None
    newest: int = 0
    at: int = 0


class Found(NamedTuple):
    """What is chosen, and where the topic ended when it was read."""

    chosen: Chosen
    end: int


def topic_of(settings: Settings) -> str:
    """The topic of the choice."""
    return f"{settings.prefix}.generation"


async def chosen(settings: Settings) -> Found:
    """What is in use; the first state where nothing was ever chosen. Raises Kafka's errors."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, **settings.security
    )
    tp, newest = TopicPartition(topic_of(settings), 0), Chosen()
    try:
        await consumer.start()
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for record in (await consumer.getmany(tp, timeout_ms=POLL_MS)).get(tp, ()):
                newest = msgspec.json.decode(record.value, type=Chosen)
    finally:
        await consumer.stop()  # also one that did not start, else it complains
    return Found(newest, end)


async def choose(settings: Settings, current: int, newest: int, previous: int | None) -> None:
    """Writes down what is in use from now on; workers follow within seconds."""
    value = msgspec.json.encode(Chosen(current, previous, newest, now_ms()))
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap, acks="all", **settings.security) as producer:
        await producer.send_and_wait(topic_of(settings), value, key=b"current", partition=0)
