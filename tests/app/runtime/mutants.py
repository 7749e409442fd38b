"""The runtime with one rule removed. Each must be found out by `world.World`, or the rule is not tested.

A stage's skip of rows that have already applied a message is not among them: an append is atomic, so there is nothing to skip.
"""

from collections.abc import Iterable, Sequence

from app.runtime.durable import Record
from app.runtime.packs import Packed
from app.runtime.rows import STAMP, Append, Recovery, Rows
from app.runtime.stage import CURSOR
from tests.app.runtime.kafka_model import Crashed, Disk, Pause, Port
from tests.app.runtime.kafka_model import Rows as Appended
from tests.app.runtime.process import Rules


class StateThenOutputs(Port):
    """Outputs follow the rows, as in a handler that writes its table and then sends."""

    waiting: tuple[tuple[Sequence[Record], list[Sequence[Packed]]], ...] = ()

    async def publish(self, records: Sequence[Record], rounds: Iterable[Sequence[Packed]]) -> None:
        self.waiting = (*self.waiting, (records, list(rounds)))

    async def applied(self) -> None:
        for records, rounds in self.waiting:
            await super().publish(records, rounds)
        self.waiting = ()


class DiskThenChangelog(Port):
    """Local rows are ahead of the changelog for a moment."""

    async def append(self, topic: str, partition: int, rows: Appended, last: int) -> int:
        self.disk.write(rows, last)
        return await super().append(topic, partition, rows, last)


class Forgetful(Disk):
    """The cursor is not kept."""

    def get(self, key: bytes) -> bytes | None:
        return None if key == CURSOR else super().get(key)


class OffsetThenRows(Disk):
    """The persisted offset is written on its own, before the rows."""

    writes = 0

    def write(self, rows: Iterable[tuple[bytes, bytes]], persisted: int) -> None:
        self.persisted = persisted
        self.writes += 1
        if self.writes % 7 == 0:
            raise Crashed
        super().write(rows, persisted)


class LastWriteWins(Recovery):
    """Recovery as Faust does it."""

    def fold(self, rows: Rows, records: Iterable[tuple[int, bytes, bytes | None]], last: int) -> None:
        rows.write([(key, value) for _, key, value in records if value is not None and len(value) >= STAMP], last)


class Unrepaired(Recovery):
    """Stale records are ignored, but stay the last of their keys."""

    async def settle(self, rows: Rows, persisted: int, end: int, append: Append) -> int:
        self._stale.clear()
        rows.write((), end - 1)
        return await super().settle(rows, end - 1, end, append)


class Unfenced(Port):
    """An append may land anywhere."""

    def mind(self, base: int, last: int) -> None:
        return


class GapAdopted(Port):
    """Only the stale writer minds the fence; the owner goes on behind what was put before it."""

    def mind(self, base: int, last: int) -> None:
        if self.stale:
            super().mind(base, last)


class Holes(Port):
    """Packs to one destination do not wait for each other, and the connection breaks now and then."""

    sent = 0

    async def publish(self, records: Sequence[Record], rounds: Iterable[Sequence[Packed]]) -> None:
        packs = [pack for one in rounds for pack in one]
        self.sent += len(packs)
        if len(packs) > 1 and self.sent % 5 == 0:
            await super().publish(records, [packs[1:]])
            raise Crashed
        await super().publish(records, [packs])


class Torn(Port):
    """An append is several record batches."""

    appends = 0

    async def append(self, topic: str, partition: int, rows: Appended, last: int) -> int:
        self.appends += 1
        if len(rows) > 1 and self.appends % 5 == 0:
            await Pause("append")
            self.broker.changelog((topic, partition)).append(rows[: len(rows) // 2])
            raise Crashed
        return await super().append(topic, partition, rows, last)


MUTANTS = {
    "outputs after state": Rules(port=StateThenOutputs),
    "local rows before the changelog": Rules(port=DiskThenChangelog),
    "no cursor": Rules(disk=Forgetful),
    "persisted offset before rows": Rules(disk=OffsetThenRows),
    "last write wins": Rules(recovery=LastWriteWins),
    "nothing is appended again": Rules(recovery=Unrepaired),
    "no fence": Rules(port=Unfenced),
    "holes in what was sent": Rules(port=Holes),
    "torn appends": Rules(port=Torn),
    "finished before it is durable": Rules(finish_first=True),
}
