"""Where partitions begin and end, asked on a connection of our own.

On the consumer's connection a question waits behind the fetch that waits for records, up to 1.5 s; a status that takes
seconds, and a first batch that waits for its proof, are what comes of it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import LeaderNotAvailableError, NotEnoughReplicasError
from faust.types import TP


class Offsets:
    """Begins and ends of partitions as the broker has them now. Raises aiokafka's errors when it cannot be asked."""

    def __init__(self, bootstrap: str, security: Mapping[str, Any]) -> None:
        self._bootstrap, self._security = bootstrap, security
        self._client: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Connects."""
        self._client = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False, **self._security)
        await self._client.start()

    async def stop(self) -> None:
        """Disconnects."""
        if self._client is not None:
            await self._client.stop()

    async def ends(self, tps: Iterable[TP]) -> dict[TP, int]:
        """The offset that the next record of each partition will get."""
        assert self._client is not None, "ask after start"
        wanted = [TopicPartition(*tp) for tp in tps]
        return {TP(*tp): end for tp, end in (await self._client.end_offsets(wanted)).items()} if wanted else {}

    async def begins(self, tps: Iterable[TP]) -> dict[TP, int]:
        """The offset of the oldest record of each partition."""
        assert self._client is not None, "ask after start"
        wanted = [TopicPartition(*tp) for tp in tps]
        return {TP(*tp): begin for tp, begin in (await self._client.beginning_offsets(wanted)).items()} if wanted else {}

    async def demand_well(self, tps: Iterable[TP]) -> None:
        """Raises aiokafka's error when a partition has no leader, or too few copies in step to take what is written."""
        assert self._client is not None, "ask after start"
        await self._client._client.force_metadata_update()
        known = self._client._client.cluster._partitions
        for tp in tps:
            partition = known.get(tp.topic, {}).get(tp.partition)
            if partition is None or partition.leader < 0:
                raise LeaderNotAvailableError(f"{tp.topic}/{tp.partition}")
            if len(partition.isr) < (len(partition.replicas) + 1) // 2:
                raise NotEnoughReplicasError(f"{tp.topic}/{tp.partition}")
