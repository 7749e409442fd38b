"""The gate before a partition: it opens when recovery is settled, shuts in a rebalance, and foreign writers are found."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from app.runtime import tables
from app.runtime.app import App
from app.runtime.durable import Fenced
from app.runtime.packs import moment
from app.runtime.rows import stamp
from app.runtime.stage import CURSOR
from app.runtime.tables import RowTable

CHANGELOG = "rows"


class Runs:
    """What a table asks of the consumer."""

    def __init__(self) -> None:
        self.generation, self.ends = 1, {0: 5, 1: 8}
        self.meanwhile: Callable[[], object] = lambda: None
        self.broken = False

    async def ends_of(self, tps: Any) -> dict[TP, int]:
        found = {tp: self.ends[tp.partition] for tp in tps}
        self.meanwhile()
        if self.broken:
            raise KafkaConnectionError("no broker")
        return found

    def stands(self, generation: int) -> bool:
        return generation == self.generation


class Store:
    """Settles where the changelog ends, or says that it cannot."""

    fenced = False

    async def settle(self, tp: TP, end: int, append: Any) -> int:
        if self.fenced:
            raise Fenced("the changelog goes on")
        return end - 1

    async def on_recovery_completed(self, active: Any, standby: Any) -> None:
        return

    def partition(self, number: int) -> str:
        return f"partition {number}"

    def holds(self, number: int) -> bool:
        return number == 0


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def table(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> RowTable:
    """A table without Faust."""
    made = object.__new__(RowTable)
    app = SimpleNamespace(
        runs=runs, offsets=SimpleNamespace(ends=runs.ends_of), durable=SimpleNamespace(append=len), consumer_generation_id=1
    )
    monkeypatch.setattr(RowTable, "_app", app)
    monkeypatch.setattr(RowTable, "changelog", CHANGELOG)
    store = Store()
    monkeypatch.setattr(RowTable, "store", store)
    vars(made).update(live={}, standbys=frozenset(), _proven=set(), follower=None, _recover_callbacks=set())
    monkeypatch.setattr(RowTable, "data", store)
    return made


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What the process would have ended of."""
    died: list[BaseException] = []
    monkeypatch.setattr(tables, "die", died.append)
    return died


def changelogs(*partitions: int) -> set[TP]:
    return {TP(CHANGELOG, partition) for partition in partitions}


async def test_a_partition_can_be_read_when_its_recovery_is_settled(table: RowTable, deaths: list[BaseException]) -> None:
    with pytest.raises(KeyError):
        table.partition(0)
    await table.on_recovery_completed(changelogs(0, 1), set())
    assert (table.live, deaths) == ({0: 4, 1: 7}, [])
    assert table.partition(0) == "partition 0"  # type: ignore[comparison-overlap]  # the store is made up


@pytest.mark.parametrize(("assigned", "whole"), [((0, 1), True), ((), True), ((0, 1, 2), False)])
async def test_a_table_is_whole_when_all_that_is_assigned_to_it_is_live(
    table: RowTable, assigned: tuple[int, ...], whole: bool
) -> None:
    foreign = {TP("rows of another table", 5)}
    vars(table._app)["assignor"] = SimpleNamespace(assigned_actives=lambda: changelogs(*assigned) | foreign)
    await table.on_recovery_completed(changelogs(0, 1), set())
    assert table.is_whole is whole


@pytest.mark.parametrize(
    ("cursor", "number", "applied"), [(stamp(moment(41, 3)) + b"x", 0, 42), (None, 0, None), (stamp(moment(41, 3)), 1, None)]
)
async def test_rows_know_how_far_in_the_inbox_they_are(
    table: RowTable, monkeypatch: pytest.MonkeyPatch, cursor: bytes | None, number: int, applied: int | None
) -> None:
    monkeypatch.setattr(table.store, "partition", lambda number: {CURSOR: cursor})
    assert table.applied(number) == applied


@pytest.mark.parametrize(
    ("committed", "applied", "unread"), [(None, None, None), (7, None, 7), (None, 9, 9), (7, 9, 9), (9, 7, 9)]
)
def test_of_commit_and_rows_the_one_that_is_further_tells_what_is_unread(
    committed: int | None, applied: int | None, unread: int | None
) -> None:
    app = object.__new__(App)
    vars(app)["applied"] = {"inbox": lambda number: applied}
    assert app.unread(TP("inbox", 0), committed) == unread
    assert app.unread(TP("raw", 0), committed) == committed


async def test_a_standby_is_followed_and_not_read(table: RowTable, deaths: list[BaseException]) -> None:
    await table.on_recovery_completed(changelogs(0), changelogs(1))
    assert (table.live, sorted(table.standbys), deaths) == ({0: 4}, [1], [])
    with pytest.raises(KeyError):
        table.partition(1)


async def test_a_recovery_that_a_rebalance_overtook_opens_nothing(
    table: RowTable, runs: Runs, deaths: list[BaseException]
) -> None:
    runs.meanwhile = lambda: setattr(runs, "generation", 2)
    await table.on_recovery_completed(changelogs(0), set())
    assert (table.live, deaths) == ({}, [])


@pytest.mark.parametrize(("generation", "died"), [(1, 1), (2, 0)])
async def test_a_foreign_writer_ends_the_process_only_while_the_partition_is_ours(
    table: RowTable, runs: Runs, deaths: list[BaseException], generation: int, died: int
) -> None:
    vars(table.store)["fenced"] = True
    runs.generation = generation
    await table.on_recovery_completed(changelogs(0), set())
    assert (table.live, len(deaths)) == ({}, died)


async def test_a_probe_finds_who_wrote_behind_an_idle_owner(table: RowTable, deaths: list[BaseException]) -> None:
    table.live.update({0: 4, 1: 6})
    await table.probe(set)
    assert [str(death) for death in deaths] == ["rows/1 ends at 8, ours at 7"]


async def test_a_batch_that_began_during_a_probe_is_no_foreign_writer(
    table: RowTable, runs: Runs, deaths: list[BaseException]
) -> None:
    table.live.update({0: 4, 1: 6})
    busy: set[int] = set()
    runs.meanwhile = lambda: busy.add(1)
    await table.probe(lambda: busy)
    assert deaths == []


async def test_a_batch_that_ended_during_a_probe_is_no_foreign_writer(
    table: RowTable, runs: Runs, deaths: list[BaseException]
) -> None:
    table.live.update({1: 6})
    runs.meanwhile = lambda: table.live.update({1: 7})
    await table.probe(set)
    assert deaths == []


async def test_a_probe_without_a_broker_is_made_again_later(table: RowTable, runs: Runs, deaths: list[BaseException]) -> None:
    table.live.update({1: 6})
    runs.broken = True
    await table.probe(set)
    assert deaths == []


async def test_rows_are_proven_once_before_the_first_batch(table: RowTable, runs: Runs) -> None:
    table.live.update({0: 4})
    await table.prove(0)
    runs.ends[0] = 9
    await table.prove(0)


async def test_rows_that_lack_what_another_wrote_are_not_worked_on(table: RowTable) -> None:
    table.live.update({0: 3})
    with pytest.raises(Fenced, match="rows/0 ends at 5, ours at 4"):
        await table.prove(0)
