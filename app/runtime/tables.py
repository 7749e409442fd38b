"""A table that a stage writes itself, and the gate before its partitions.

A partition is *live* when recovery is finished, the changelog ends where the rows end, and keys that a stale writer had put
back are appended again. Only live partitions are read or written. An owner that writes nothing never meets the fence, so
`probe` compares both ends from time to time, well below the compaction lag.
"""

from typing import Any

import faust
from faust.types import TP

from app.runtime.app import App
from app.runtime.durable import APPEND_BYTES, Fenced, die
from app.runtime.rows import Partition, RowStore
from app.runtime.tally import Tally

PROBE_SECONDS = 30.0


class RowTable(faust.Table[bytes, bytes]):
    """A Faust table whose rows are written by one stage, partition by partition."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.live: dict[int, int] = {}
        self.tally: Tally[Any] | None = None

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

    def partition(self, number: int) -> Partition:
        """A live partition; KeyError when it is not live here."""
        if number not in self.live:
            raise KeyError(number)
        return self.store.partition(number)

    async def on_rebalance(self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0) -> None:
        self.live.clear()
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        try:
            await super().on_recovery_completed(active_tps, standby_tps)
            ends = await self._app.runs.end_offsets(active_tps)
            for tp in active_tps:
                last = await self._settle(tp, ends[tp])
                if self.tally is not None:
                    await self.tally.begin(tp.partition, self.store.partition(tp.partition))
                self.live[tp.partition] = last
        except Exception as error:  # Faust waits for this call without looking at what it raised
            die(error)

    async def probe(self, busy: set[int]) -> None:
        """Ends the process if somebody else wrote to the changelog of a live partition that is not busy."""
        before = {p: last for p, last in self.live.items() if p not in busy}
        ends = await self._app.runs.end_offsets(TP(self.changelog, p) for p in before)
        for partition, last in before.items():
            end = ends[TP(self.changelog, partition)]
            if self.live.get(partition) == last and end != last + 1:
                die(Fenced(f"{self.changelog}/{partition} ends at {end}, ours at {last + 1}"))

    async def _settle(self, tp: TP, end: int) -> int:
        """Appends again what a stale writer put back; the persisted offset."""
        last = self.store.folded(tp)
        if last + 1 != end:
            raise Fenced(f"{tp.topic}/{tp.partition} ends at {end}, recovery at {last + 1}")
        stale = self.store.stale_keys(tp.partition)
        if stale:
            last = await self._append_again(tp, stale, last)
            self.store.repaired(tp.partition, last)
        return last

    async def _append_again(self, tp: TP, keys: list[bytes], last: int) -> int:
        producer = self._app.durable
        rows: list[tuple[bytes, bytes]] = []
        size = 0
        for key in keys:
            held = self.store.partition(tp.partition).get(key)
            assert held is not None, "a key is stale only where a row is held"
            rows.append((key, held))
            size += len(key) + len(held) + 24
            if size > APPEND_BYTES // 2:
                last, rows, size = await producer.append(tp.topic, tp.partition, rows, last), [], 0
        return await producer.append(tp.topic, tp.partition, rows, last) if rows else last
