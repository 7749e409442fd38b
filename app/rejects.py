"""How much was rejected, by reason: counted from behaviour.rejected itself, so every worker says the same after a restart."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP
from mode import Service

from app.activity import Rejections
from app.clock import now_ms
from app.instance import REJECTED, app, config, settings
from app.rejection import COUNT

LATEST_MAX = 50
"""Records of each reason whose places are remembered."""
PLACES = [TP(REJECTED, partition) for partition in range(config.topics.channel_partitions)]


class Rejects:
    """The counts, and how far they are."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[str, str]] = Counter()
        self._latest: dict[str, deque[tuple[int, int]]] = {}
        self._next: dict[TP, int] = {}
        self.lately = Rejections()
        """Those of the last 24 hours, by source too."""

    def counts(self) -> dict[str, int]:
        """Records by reason; of what was deleted unread, as many as were deleted."""
        counts: Counter[str] = Counter()
        for (reason, _), count in self._counted.items():
            counts[reason] += count
        return dict(sorted(counts.items()))

    def by_source(self) -> dict[tuple[str, str], int]:
        """Records by reason and where they were rejected: a channel, or the inbox of a stage."""
        return dict(self._counted)

    def latest(self, reason: str) -> list[tuple[int, int]]:
        """Where the newest records of a reason lie: (partition, offset), the newest first."""
        return list(reversed(self._latest.get(reason, ())))

    def count(self, tp: TP, records: Sequence[Any]) -> None:
        """Counts the next records of a partition."""
        for record in records:
            reason = _header(record, "reason")
            self._counted[reason, _source(record)] += _count(record)
            self._latest.setdefault(reason, deque(maxlen=LATEST_MAX)).append((tp.partition, record.offset))
        self.lately.count(records, now_ms())
        self._next[tp] = records[-1].offset + 1

    async def caught_up(self) -> bool:
        """Whether everything that is in the topic now is counted."""
        ends, begins = await app.offsets.ends(PLACES), await app.offsets.begins(PLACES)
        return all(max(begins[tp], self._next.get(tp, 0)) >= ends[tp] for tp in PLACES)


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
            consumer.assign([TopicPartition(*tp) for tp in PLACES])
            while not self.should_stop:
                for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                    rejects.count(TP(*tp), records)
        finally:
            await consumer.stop()


def _header(record: Any, wanted: str) -> str:
    return next((value.decode("utf-8", "replace") for name, value in record.headers if name == wanted), "unknown")


def _source(record: Any) -> str:
    """`web` for `onetrail.behaviour.web` and for `collector:web`."""
    source = _header(record, "source_topic").removeprefix("collector:")
    return source.removeprefix(f"{settings.prefix}.").removeprefix("behaviour.")


def _count(record: Any) -> int:
    """One, or as many as the record stands for."""
    return next((int(value) for name, value in record.headers if name == COUNT), 1)
