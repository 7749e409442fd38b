"""How far the whole system is, from any worker.

Every worker tells what it has finished; then the ends of all topics are read. What was acknowledged before the question lies
before those ends, and a record is finished only after all that follows from it was appended; so if everything read later is
finished earlier, nothing was under way at the moment between, and all of it is visible.
"""

import asyncio
from collections.abc import Mapping

import msgspec
from aiokafka.errors import KafkaError
from faust.types import TP

from app.instance import BEHAVIOUR, INBOX, REQUESTS, ZONE, app, partitions, settings, table
from app.recovery import why_not_ready
from app.rejects import rejects
from app.routing import NotReady, Peers, input_partitions
from app.tallies import census, events_kept
from models.display import rfc3339

ANSWER_SECONDS_MAX = 5.0
_OUTSIDE = {} if settings.shadow else {**BEHAVIOUR, REQUESTS: 1}
INPUTS = {**_OUTSIDE, INBOX: partitions}


class Own(msgspec.Struct):
    """One worker's part. `finished`: (topic, partition, next offset), None where nothing was ever finished."""

    worker: str
    partitions: list[int]
    finished: list[tuple[str, int, int | None]]
    events: int
    frozen: int
    oldest_frozen: int | None
    """Log time of the event behind the merge that waits longest."""


class Reporter:
    """Puts the parts together."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def own(self) -> Own:
        """This worker's part. NotReady: its partitions are on the move."""
        if not app.owns or not app.tables.actives_ready:
            raise NotReady(why_not_ready())
        finished = [(tp.topic, tp.partition, app.runs.position_of(tp)) for tp in sorted(input_partitions(app))]
        frozen = census.standstill(table.live)
        events = events_kept.total(table.live)
        return Own(self._peers.here, sorted(table.live), finished, events, frozen.clusters, frozen.since)

    async def document(self) -> dict[str, object]:
        """`/v1/status`. NotReady: some worker, or Kafka, does not answer."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await self._document()
        except (KafkaError, TimeoutError) as error:
            raise NotReady(f"Kafka does not answer: {error!r}") from None

    async def _document(self) -> dict[str, object]:
        parts = await self._parts()
        finished = {TP(topic, partition): offset for part in parts for topic, partition, offset in part.finished}
        lag = await self._lag(finished)
        owned = sum(len(part.partitions) for part in parts)
        settled = not any(lag.values()) and owned == app.conf.topic_partitions and await rejects.caught_up()
        oldest = min((part.oldest_frozen for part in parts if part.oldest_frozen is not None), default=None)
        return {
            "settled": settled,
            "lag": lag,
            "workers": [{"url": part.worker, "partitions": part.partitions} for part in parts],
            "frozen_clusters": sum(part.frozen for part in parts),
            "oldest_unsettled_merge": None if oldest is None else rfc3339(oldest, ZONE),
            "events": sum(part.events for part in parts),
            "rejected": rejects.counts(),
        }

    async def _parts(self) -> list[Own]:
        others = [address for address in self._peers.workers() if address != self._peers.here]
        bodies = await asyncio.gather(*(self._peers.get(address, "_peer/status") for address in others))
        return [self.own(), *(msgspec.msgpack.decode(body, type=Own) for body in bodies)]

    async def _lag(self, finished: Mapping[TP, int | None]) -> dict[str, int]:
        """Records of each topic that are not finished; a partition that nobody reads counts whole."""
        wanted = [TP(topic, partition) for topic, count in INPUTS.items() for partition in range(count)]
        ends, begins = await app.offsets.ends(wanted), await app.offsets.begins(wanted)
        lag = dict.fromkeys(INPUTS, 0)
        for tp in wanted:
            done = finished.get(tp)
            lag[tp.topic] += max(0, ends[tp] - max(begins[tp], done if done is not None else 0))
        return lag
