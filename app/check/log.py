"""The topics of a check, read up to given ends, without a group: it leaves no trace in Kafka."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.check.told import Told
from app.clock import now_ms
from app.config import Config
from app.settings import Settings
from app.topics import INBOX

POLL_MS = 200
Report = Callable[[int, int], None]
"""Records read, records there are."""


class Log:
    """Reads on from where it stands; `told` takes what it reads. `cut`: ends by (topic, partition), if not those of now."""

    def __init__(self, settings: Settings, config: Config, told: Told, cut: Mapping[tuple[str, int], int]) -> None:
        self.told, self._given = told, cut
        self._consumer = AIOKafkaConsumer(
            *told.topics,
            bootstrap_servers=settings.bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            **settings.security,
        )
        self.inbox = f"{settings.inner}{INBOX}"
        self._inbox = [TopicPartition(self.inbox, n) for n in range(config.topics.partitions)]
        self.cut: Mapping[Any, int] = {}
        """Where all topics ended when the check began."""
        self._begins: Mapping[Any, int] = {}

    async def __aenter__(self) -> "Log":
        await self._consumer.start()
        self._begins = await self._consumer.beginning_offsets(list(self._consumer.assignment()))
        self.cut = {tp: self._given.get((tp.topic, tp.partition), end) for tp, end in (await self.ends()).items()}
        for tp, begin in self._begins.items():
            if begin and begin == self.cut[tp]:
                self.told.forgotten(tp.topic, now_ms())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    @property
    def removed(self) -> int:
        """Records of behaviour that retention removed."""
        return sum(begin for tp, begin in self._begins.items() if self.told.is_raw(tp.topic))

    async def ends(self) -> dict[Any, int]:
        """Where all topics end now."""
        found: dict[Any, int] = await self._consumer.end_offsets(list(self._consumer.assignment()))
        return found

    async def sums(self) -> dict[str, int]:
        """How many records each topic ever had, now; those of the inbox too."""
        return summed({**await self.ends(), **await self._consumer.end_offsets(self._inbox)})

    async def read(self, until: Mapping[Any, int], report: Report) -> None:
        """Reads up to these ends."""
        positions = {tp: await self._consumer.position(tp) for tp in until}
        wanted = sum(max(0, end - positions[tp]) for tp, end in until.items())
        done = 0
        while any(positions[tp] < end for tp, end in until.items()):
            for tp, records in (await self._consumer.getmany(timeout_ms=POLL_MS)).items():
                self._take(tp, records)
                done += len(records)
            self.told.flush()
            positions = {tp: await self._consumer.position(tp) for tp in until}
            report(min(done, wanted), wanted)

    def _take(self, tp: Any, records: Sequence[Any]) -> None:
        for record in records:
            if record.offset == self._begins[tp] > 0:
                self.told.forgotten(tp.topic, record.timestamp)
            self.told.take(record, record.offset < self.cut[tp])


def summed(ends: Mapping[Any, int]) -> dict[str, int]:
    """Ends of partitions by topic."""
    found: dict[str, int] = {}
    for tp, end in ends.items():
        found[tp.topic] = found.get(tp.topic, 0) + end
    return found
