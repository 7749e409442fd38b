"""How far a worker is, as its watchdog sees it: inputs by what is finished, nothing else while partitions move."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import LeaderNotAvailableError
from faust.types import TP

from app.runtime import standing
from app.runtime.lanes import lane_name
from app.runtime.standing import standings
from app.runtime.watchdog import MOVING, Standing

INBOX, RAW, CHANGELOG = TP("inbox", 0), TP("raw", 0), TP("rows", 0)


class Offsets:
    """Kafka, as far as it is asked."""

    def __init__(self) -> None:
        self.end, self.begin, self.well = 9, 0, True

    async def ends(self, tps: list[TP]) -> dict[TP, int]:
        return dict.fromkeys(tps, self.end)

    async def begins(self, tps: list[TP]) -> dict[TP, int]:
        return dict.fromkeys(tps, self.begin)

    async def demand_well(self, tps: list[TP]) -> None:
        if not self.well:
            raise LeaderNotAvailableError("rows/0")


class Worker:
    """An app with two inputs and a table."""

    def __init__(self) -> None:
        self.finished: dict[TP, int] = {INBOX: 4, RAW: 9}
        self.at: int | None = 4
        self.offsets = Offsets()
        self.table: Any = SimpleNamespace(changelog="rows", live={0: 1}, store=SimpleNamespace(folded=70))
        runs = SimpleNamespace(assignment=lambda: {INBOX, RAW, CHANGELOG}, position_of=self.finished.get)
        self.app: Any = SimpleNamespace(
            rebalancing=False,
            in_recovery=False,
            tables=SimpleNamespace(actives_ready=True, changelog_topics={"rows"}),
            offsets=self.offsets,
            runs=runs,
            consumer=SimpleNamespace(position=self.position),
        )

    async def position(self, tp: TP) -> int:
        if self.at is None:
            await asyncio.sleep(60)
        return self.at or 0

    async def look(self) -> dict[TP, Standing]:
        return dict(await standings(self.app, [self.table]))


async def test_what_is_finished_is_compared_with_what_there_is() -> None:
    assert await Worker().look() == {INBOX: Standing(4, 9), RAW: Standing(9, 9)}


async def test_where_only_markers_of_transactions_are_left_nothing_is_to_do() -> None:
    worker = Worker()
    worker.at = 9
    assert (await worker.look())[INBOX] == Standing(4, 4)


async def test_what_was_read_and_waits_in_a_lane_is_to_do() -> None:
    worker = Worker()
    worker.at = 9
    lane = asyncio.create_task(asyncio.sleep(60), name=lane_name(INBOX))
    assert (await worker.look())[INBOX] == Standing(4, 9)
    lane.cancel()


async def test_a_consumer_that_does_not_know_where_it_is_has_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "POSITION_SECONDS_MAX", 0.01)
    worker = Worker()
    worker.at = None
    assert (await worker.look())[INBOX] == Standing(4, 9)


async def test_what_was_deleted_is_not_to_do() -> None:
    worker = Worker()
    worker.offsets.begin = 9
    assert (await worker.look())[INBOX] == Standing(9, 9)


async def test_while_partitions_move_reading_back_is_progress() -> None:
    worker = Worker()
    worker.app.in_recovery = True
    assert await worker.look() == {MOVING: Standing(70, 71)}


@pytest.mark.parametrize("moving", [True, False])
async def test_a_kafka_that_is_not_well_is_no_standing(moving: bool) -> None:
    worker = Worker()
    worker.app.rebalancing, worker.offsets.well = moving, False
    with pytest.raises(LeaderNotAvailableError):
        await worker.look()
