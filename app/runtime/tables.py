"""A table that a stage writes itself, and the gate before its partitions.

A partition is *live* when recovery is finished, the changelog ends where the rows end, and keys that a stale writer had put
back are appended again. Only live partitions are read or written. A *standby* is another worker's partition whose changelog
is folded here all the while, so that a take-over begins where it stands; it is not live. An owner that writes nothing never
meets the fence, so `probe` compares both ends from time to time, well below the compaction lag.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import faust
from aiokafka.errors import KafkaError
from faust.types import TP

from app.runtime.app import App
from app.runtime.durable import Fenced, die
from app.runtime.packs import offset_at
from app.runtime.rows import Partition, RowStore, moment_of
from app.runtime.stage import CURSOR
from app.runtime.tally import Follower

PROBE_SECONDS = 30.0
logger = logging.getLogger(__name__)


class RowTable(faust.Table[bytes, bytes]):
    """A Faust table whose rows are written by one stage, partition by partition."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.live: dict[int, int] = {}
        self.standbys: frozenset[int] = frozenset()
        """Partitions of others whose rows are followed here."""
        self._proven: set[int] = set()
        self.follower: Follower[Any] | None = None

    def _new_store(self) -> RowStore:
        return RowStore(
            "rocksdb://",
            self.app,
            self,
            table_name=self.name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
        )

    @property
    def _app(self) -> App:
        app = self.app
        assert isinstance(app, App)
        return app

    @property
    def changelog(self) -> str:
        """The full name of the changelog topic."""
        return str(self.changelog_topic.get_topic_name())

    @property
    def store(self) -> RowStore:
        """The store behind the table."""
        store = self.data
        assert isinstance(store, RowStore)
        return store

    @property
    def is_whole(self) -> bool:
        """Whether all partitions that are assigned to this worker are live; a worker to which none is left waits for nothing."""
        assigned = self._app.assignor.assigned_actives()
        return all(tp.partition in self.live for tp in assigned if tp.topic == self.changelog)

    def partition(self, number: int) -> Partition:
        """A live partition; KeyError when it is not live here."""
        if number not in self.live:
            raise KeyError(number)
        return self.store.partition(number)

    def applied(self, number: int) -> int | None:
        """The inbox offset behind the last message that the rows of a partition have applied; None where none is known here."""
        cursor = self.store.partition(number).get(CURSOR) if self.store.holds(number) else None
        return None if cursor is None else offset_at(moment_of(cursor)) + 1

    async def on_rebalance(self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0) -> None:
        self.live.clear()
        self.standbys = frozenset()
        self._proven.clear()
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        generation, tps = self._app.consumer_generation_id, set(active_tps)
        standbys = frozenset(tp.partition for tp in standby_tps)
        try:
            await super().on_recovery_completed(tps, standby_tps)
            ends = await self._app.offsets.ends(tps)
            for tp in tps:
                last = await self.store.settle(tp, ends[tp], partial(self._app.durable.append, tp.topic, tp.partition))
                if self.follower is not None:
                    await self.follower.begin(tp.partition, self.store.partition(tp.partition))
                if not self._app.runs.stands(generation):
                    return
                self.live[tp.partition] = last
            self.standbys = standbys
        except Exception as error:  # Faust waits for this call without looking at what it raised
            if self._app.runs.stands(generation):
                die(error)

    async def prove(self, number: int) -> None:
        """Makes sure, before the first batch of an assignment, that the rows are not behind the inbox offset that was read.

        A worker that slept between recovery and its seek finds the commits of its successor; its rows lack what was committed
        meanwhile, and what it made of later messages would be wrong and yet bear a later stamp. Its successor appended before
        it committed, so the changelog tells, provided that it is asked after the seek. Fenced: somebody else wrote.
        """
        if number not in self._proven:
            tp = TP(self.changelog, number)
            end = (await self._app.offsets.ends([tp]))[tp]
            if end != self.live[number] + 1:
                raise Fenced(f"{tp.topic}/{number} ends at {end}, ours at {self.live[number] + 1}")
            self._proven.add(number)

    async def probe(self, busy: Callable[[], set[int]]) -> None:
        """Ends the process if somebody else wrote to the changelog of a live partition that is not busy.

        `busy` is asked last: a batch that began meanwhile may have appended without knowing it yet.
        """
        before = dict(self.live)
        try:
            ends = await self._app.offsets.ends(TP(self.changelog, p) for p in before)
        except KafkaError as error:  # the next probe looks again, and nothing is compacted before it
            logger.warning("probe of %s: %r", self.changelog, error)
            return
        for partition in before.keys() - busy():
            end, last = ends[TP(self.changelog, partition)], before[partition]
            if self.live.get(partition) == last and end != last + 1:
                die(Fenced(f"{self.changelog}/{partition} ends at {end}, ours at {last + 1}"))
