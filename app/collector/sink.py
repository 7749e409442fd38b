"""Kafka as the collector sees it: records in, and an answer when all of them are acknowledged (acks=all, idempotent).

The producer repeats what is not acknowledged with the same sequence numbers until the broker is back, so nothing is written
twice by us; a client that was told 503 meanwhile sends again, and the event ids make one of it. Where a producer cannot go on
(the broker forgot it, or refuses its batches for good) it is replaced by a new one. Connecting is tried for ever.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from app import topics
from app.collector.lane import BATCH_BYTES, Lane, Load, Overdue, Unavailable
from app.config import Config
from app.kafka_door import refusal_of
from app.runtime.durable import Record
from app.settings import Settings

log = logging.getLogger(__name__)

FRAMING_BYTES = 40
"""What Kafka adds to a record, generously."""
RECORD_BYTES_MAX = topics.PACK_BYTES_MAX - 65_536
"""The largest value, a refused record: with headers and framing it fits into `behaviour.rejected`."""
RECONNECT_SECONDS = 0.5
PROBE_SECONDS_MAX = 2.0
STOP_SECONDS_MAX = 5.0


class Sink:
    """Delivers records. `start` returns at once; until Kafka is there every delivery is refused."""

    def __init__(self, settings: Settings, config: Config) -> None:
        self._settings, self._config = settings, config
        self._producer: AIOKafkaProducer | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._lanes: dict[str, Lane] = {}
        self._turn = itertools.count()
        self._away = False

    def start(self) -> None:
        """Begin to connect."""
        self._connecting = asyncio.create_task(self._connect(), name="connect to Kafka")

    async def stop(self) -> None:
        """Let go of Kafka. What is not acknowledged by now was answered with 503."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        if self._producer is not None:
            await _stopped(self._producer)

    async def deliver(self, records: Iterable[Record]) -> None:
        """Returns when Kafka has acknowledged every record. Raises `Unavailable` within ACK_SECONDS_MAX."""
        loads = list(_loads(records))
        try:
            for topic, load in loads:
                self._lane(topic).put(load)
            for _, load in loads:
                await load.acknowledged
        except Overdue:
            self._tell(away=True)
            raise
        finally:
            for _, load in loads:
                load.give_up()
        if loads:
            self._tell(away=False)

    async def reachable(self) -> bool:
        """Whether Kafka answers now, and no topic of ours is stuck."""
        if self._producer is None or any(lane.stuck for lane in self._lanes.values()):
            return False
        try:
            async with asyncio.timeout(PROBE_SECONDS_MAX):
                await self._producer.client.fetch_all_metadata()
        except (KafkaError, TimeoutError):
            return False
        return True

    def _tell(self, *, away: bool) -> None:
        """One line when Kafka goes away, one when it is back."""
        if away != self._away:
            self._away = away
            log.warning("Kafka at %s %s", self._settings.bootstrap, "does not acknowledge" if away else "acknowledges again")

    def _lane(self, topic: str) -> Lane:
        if self._producer is None:
            raise Unavailable("Kafka cannot be reached")
        lane = self._lanes.get(topic)
        if lane is None:
            lane = self._lanes[topic] = Lane(topic, self._send)
        return lane

    async def _send(self, topic: str, records: Sequence[Record]) -> None:
        producer = self._producer
        if producer is None:
            raise Unavailable("Kafka cannot be reached")
        try:
            partitions = sorted(await producer.partitions_for(topic))
            partition = partitions[next(self._turn) % len(partitions)]
            await _sent(producer, topic, partition, records)
        except KafkaError as error:
            log.error("%s refuses what the collector sends: %r", topic, error)
            self._replace(producer)
            raise Unavailable(f"Kafka refuses: {type(error).__name__}") from error

    def _replace(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
            self._connecting = asyncio.create_task(self._connect(producer), name="connect to Kafka again")

    async def _connect(self, replaced: AIOKafkaProducer | None = None) -> None:
        if replaced is not None:
            await _stopped(replaced)
        told = ""
        while self._producer is None:
            try:
                self._producer = await self._connected()
            except (KafkaError, OSError, topics.TopicsError) as error:
                found = f"{type(error).__name__}: {error}"
                if told != found:
                    told = found
                    log.warning(
                        "waiting for Kafka at %s: %s", self._settings.bootstrap, await refusal_of(self._settings) or found
                    )
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _connected(self) -> AIOKafkaProducer:
        await topics.create(self._settings, self._config)
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap,
            client_id="onetrail-collector",
            acks="all",
            enable_idempotence=True,
            max_batch_size=topics.PACK_BYTES_MAX - 4_096,
            max_request_size=topics.PACK_BYTES_MAX,
            **self._settings.security,
        )
        try:
            await producer.start()
        except BaseException:
            await _stopped(producer)
            raise
        return producer


async def _sent(producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Record]) -> None:
    batch = producer.create_batch()
    for record in records:
        added = batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers))
        assert added is not None, "a load fits into a batch"
    batch.close()
    await (await producer.send_batch(batch, topic, partition=partition))


def _loads(records: Iterable[Record]) -> Iterator[tuple[str, Load]]:
    """Records by topic, cut so that each load fits into one batch."""
    by_topic: dict[str, list[Record]] = {}
    for record in records:
        by_topic.setdefault(record.topic, []).append(record)
    for topic, own in by_topic.items():
        load: list[Record] = []
        size = 0
        for record in own:
            weight = _weight(record)
            if load and size + weight > BATCH_BYTES:
                yield topic, Load(load, size)
                load, size = [], 0
            load.append(record)
            size += weight
        yield topic, Load(load, size)


def _weight(record: Record) -> int:
    headers = sum([len(name) + len(value) + 10 for name, value in record.headers])
    return len(record.value or b"") + len(record.key or b"") + headers + FRAMING_BYTES


async def _stopped(producer: AIOKafkaProducer) -> None:
    with contextlib.suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await producer.stop()
