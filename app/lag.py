"""How far this worker is behind in the partitions it consumes, by the ends that the broker has now."""

import asyncio
from collections import Counter

from aiokafka.errors import KafkaError

from app.instance import app
from app.routing import input_partitions

ASK_SECONDS_MAX = 1.0


class Lag:
    """Records that are not finished, by topic: as they were when Kafka was last asked."""

    def __init__(self) -> None:
        self.by_topic: dict[str, int] = {}

    async def ask(self) -> None:
        """Brings the numbers up to date; where Kafka does not answer in time they stay."""
        try:
            async with asyncio.timeout(ASK_SECONDS_MAX):
                self.by_topic = await self._asked()
        except (KafkaError, TimeoutError):
            return

    async def _asked(self) -> dict[str, int]:
        mine = sorted(input_partitions(app)) if app.owns else []
        ends, begins = await app.offsets.ends(mine), await app.offsets.begins(mine)
        found: Counter[str] = Counter()
        for tp in mine:
            found[tp.topic] += max(0, ends[tp] - max(begins[tp], app.runs.position_of(tp) or 0))
        return dict(found)


lag = Lag()
