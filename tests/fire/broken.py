"""Rules of the runtime, each with what takes it away, and the faults it stands against.

`python -m tests.fire --break RULE` takes it away, makes just those faults, and must end with a difference.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from faust.types import TP

from app.runtime.durable import Producer
from app.runtime.lanes import Lanes
from app.runtime.rows import Recovery
from app.runtime.stage import Batch


def no_fence() -> None:
    """An append may land anywhere, and nobody looks whether somebody else wrote."""

    async def append(self: Producer, topic: str, partition: int, rows: Sequence[tuple[bytes, bytes]], last: int) -> int:
        client = self._ensure_producer()
        batch = client.create_batch()
        for key, value in rows:
            batch.append(key=key, value=value, timestamp=None)
        batch.close()
        landed = await (await client.send_batch(batch, topic, partition=partition))
        return int(landed.offset) + len(rows) - 1

    async def settle(self: Recovery, rows: Any, persisted: int, end: int, append: Any) -> int:
        return end - 1

    Producer.append = append  # type: ignore[method-assign]
    Recovery.settle = settle  # type: ignore[method-assign]


def early_commit() -> None:
    """A run is finished, and so committed, before its work is done.

    Faust waits, before each commit, for all that its producer has sent; rows that are not acknowledged would hold up the commit
    of their run, finished or not. So this is taken away too: either alone keeps what the other is there for.
    """
    drain = Lanes._drain

    async def at_once(self: Producer) -> None:
        return None

    async def early(self: Lanes, tp: TP, lane: list[Any]) -> None:
        for run in lane:
            self._app.runs.finish(run)
        await drain(self, tp, lane)

    Lanes._drain = early  # type: ignore[method-assign]
    Producer.flush = at_once  # type: ignore[method-assign, assignment]


def no_cursor() -> None:
    """What comes again is handled again."""

    class Forgetful(dict[str, int]):
        def get(self, key: str, default: Any = None) -> Any:
            return -1

    run = Batch.run

    async def forgetful(self: Batch[Any, Any], parts: Sequence[Any]) -> None:
        self._cursor = Forgetful(self._cursor)
        await run(self, parts)

    Batch.run = forgetful  # type: ignore[method-assign]


def blind_fold() -> None:
    """Recovery takes the last record of a key, whoever wrote it and whatever it had seen."""

    def fold(self: Recovery, rows: Any, records: Any, last: int) -> None:
        found = {key: value for _, key, value in records if value is not None}
        self._last = last
        rows.write(found.items(), last)

    Recovery.fold = fold  # type: ignore[method-assign]


def silent_changelog() -> None:
    """No append is ever acknowledged."""
    send = AIOKafkaProducer.send_batch

    async def silent(self: AIOKafkaProducer, batch: Any, topic: str, *, partition: int) -> Any:
        if topic.endswith("-changelog"):
            return asyncio.get_running_loop().create_future()
        return await send(self, batch, topic, partition=partition)

    AIOKafkaProducer.send_batch = silent


def blocked_loop() -> None:
    """The first batch never gives the event loop back."""

    def rows(self: Batch[Any, Any]) -> list[tuple[bytes, bytes]]:
        while True:
            time.sleep(1)

    Batch.rows = rows  # type: ignore[method-assign]


STUCK: Mapping[str, Callable[[], None]] = {"silent changelog": silent_changelog, "blocked loop": blocked_loop}
"""What makes a worker stuck: for its watchdog."""


class Rule(NamedTuple):
    """What takes a rule away, and the faults that show that it is gone."""

    take_away: Callable[[], None]
    faults: tuple[str, ...]


RULES: Mapping[str, Rule] = {
    "no fence": Rule(no_fence, ("compaction",)),
    "early commit": Rule(early_commit, ("rows withheld",)),
    "no cursor": Rule(no_cursor, ("operators", "commits lost")),
    "blind fold": Rule(blind_fold, ("stale writer", "lose disk")),
}
