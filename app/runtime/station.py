"""Where stages and relays meet Faust: lanes bring runs, the table's live partitions are read and written.

Names of sources carry topic ids, which are asked for when the app starts; a stage begins only after that.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from faust.types import TP, StreamT

from app.runtime.app import App
from app.runtime.durable import Record
from app.runtime.lanes import Lanes
from app.runtime.relay import Relay
from app.runtime.stage import Position, Stage
from app.runtime.tables import RowTable

M = TypeVar("M")
R = TypeVar("R")
Finished = Callable[[Sequence[Any]], None]
"""Told of the records of each batch, when all that follows from them is durable."""


class Outgoing:
    """The app's producer as a stage's publisher; it exists only when the app runs."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def publish(self, records: Sequence[Record], rounds: Any) -> None:
        """See `Producer.publish`."""
        await self._app.durable.publish(records, rounds)

    async def append(self, topic: str, partition: int, rows: Sequence[tuple[bytes, bytes]], last: int) -> int:
        """See `Producer.append`."""
        return await self._app.durable.append(topic, partition, rows, last)


class StageStation(Generic[M, R]):
    """A stage in its agent: `await station(stream)` is the whole body."""

    def __init__(self, app: App, inbox: str, stage: Stage[M, R], table: RowTable, finished: Finished) -> None:
        self.app, self.stage, self.table, self._finished = app, stage, table, finished
        self.lanes = Lanes(app, self._work, dense=True)
        app.applied[inbox] = table.applied

    async def __call__(self, stream: StreamT[Any]) -> None:
        """Runs until the agent is told to stop."""
        await self.lanes(stream)

    async def probe(self) -> None:
        """Looks for a foreign writer behind partitions that have nothing to do."""
        await self.table.probe(lambda: {tp.partition for tp in self.lanes.busy})

    async def _work(self, tp: TP, records: list[Any]) -> None:
        table, p = self.table, tp.partition
        at = Position(p, self.app.source(tp))
        await table.prove(p)
        last = await self.stage.apply(at, table.partition(p), table.live[p], records)
        if p in table.live:  # else it was taken away meanwhile: only recovery brings it to life again
            table.live[p] = last
        self._finished(records)


class RelayStation:
    """A relay in its agent. `policy` names the rules it decides by: other rules make another source, with numbers of its own."""

    def __init__(self, app: App, relay: Relay, policy: str, finished: Finished) -> None:
        self.app, self.relay, self._policy, self._finished = app, relay, policy, finished
        self.lanes = Lanes(app, self._work, dense=False)

    async def __call__(self, stream: StreamT[Any]) -> None:
        """Runs until the agent is told to stop."""
        await self.lanes(stream)

    async def _work(self, tp: TP, records: list[Any]) -> None:
        await self.relay.apply(f"{self.app.source(tp)}/{self._policy}", records)
        self._finished(records)
