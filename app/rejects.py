"""How much was rejected, by reason: counted from behaviour.rejected itself, so every worker says the same after a restart."""

from collections import Counter
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from mode import Service

from app.instance import REJECTED, app, config, settings


class Rejects:
    """The counts, and how far they are."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.consumer: AIOKafkaConsumer | None = None

    def counts(self) -> dict[str, int]:
        """Records by reason."""
        return dict(sorted(self.counted.items()))

    async def caught_up(self) -> bool:
        """Whether everything that is in the topic now is counted."""
        consumer = self.consumer
        if consumer is None:
            return False
        ends = await consumer.end_offsets(consumer.assignment())
        return all([await consumer.position(tp) >= end for tp, end in ends.items()])


rejects = Rejects()


@app.service
class CountRejects(Service):
    """Reads behaviour.rejected from its beginning, without a group."""

    @Service.task
    async def _count(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, **settings.security
        )
        await consumer.start()
        try:
            consumer.assign([TopicPartition(REJECTED, partition) for partition in range(config.topics.channel_partitions)])
            rejects.consumer = consumer
            while not self.should_stop:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    rejects.counted.update(map(_reason, records))
        finally:
            rejects.consumer = None
            await consumer.stop()


def _reason(record: Any) -> str:
    return next((value.decode() for name, value in record.headers if name == "reason"), "unknown")
