"""Rows on a real RocksDB: reading, one atomic write, and recovery that is monotone and repairs."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import rocksdict
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from app.runtime import rows as rows_module
from app.runtime.durable import Fenced
from app.runtime.rows import Fold, Partition, Recovery, RocksDBOptions, RowStore, scan_all, stamp
from tests.app.runtime.kafka_model import Disk

PLACE = TP("rows", 0)
RECORDS = st.lists(st.tuples(st.sampled_from([b"a", b"b"]), st.integers(0, 5)), max_size=10)


@pytest.fixture
def partition(tmp_path: Path) -> Partition:
    return opened(tmp_path / "db")


def opened(path: Path) -> Partition:
    return Partition(RocksDBOptions(use_rocksdict=True).open(path))


def test_rows_that_are_there_already_are_read_with_our_options(tmp_path: Path) -> None:
    opened(tmp_path / "db")._db.close()
    again = opened(tmp_path / "db")
    assert again._db.property_int_value("rocksdb.block-cache-capacity") == rows_module.CACHE_BYTES


def test_the_index_of_a_file_is_cut_so_that_a_cache_can_hold_parts_of_it(partition: Partition) -> None:
    partition.write([(b"n|%06d" % number, bytes(range(256)) * 4) for number in range(2_000)], 1)
    partition._db.flush()
    told = partition._db.property_value("rocksdb.aggregated-table-properties") or ""
    assert int(told.split("# index partitions=")[1].split(";")[0]) > 1


def test_partitions_share_the_memory_for_what_is_not_on_disk_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "_unflushed", rocksdict.WriteBufferManager(48 << 20, allow_stall=False))
    partitions = [opened(tmp_path / str(number)) for number in range(8)]
    for write in range(12):
        for partition in partitions:
            partition.write([(b"%d|%d" % (write, number), bytes(10_000)) for number in range(100)], write)
    deadline = time.monotonic() + 30  # what is being written out counts until it is out
    while (held := unflushed(partitions)) >= 72 << 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert held < 72 << 20  # of 96 MB, where no partition's own 64 MB is full


def test_many_partitions_with_a_row_each_leave_most_of_that_memory_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = rocksdict.WriteBufferManager(rows_module.UNFLUSHED_BYTES, allow_stall=False)
    monkeypatch.setattr(rows_module, "_unflushed", manager)
    partitions = [opened(tmp_path / str(number)) for number in range(48)]
    for write in range(10):
        for partition in partitions:
            partition.write([(b"%d|%d" % (write, number), bytes(300)) for number in range(20)], write)
    assert manager.get_usage() < rows_module.UNFLUSHED_BYTES * 7 / 8, "beyond that every write is a flush"
    assert not any(partition._db.property_int_value("rocksdb.num-files-at-level0") for partition in partitions)


def unflushed(partitions: Sequence[Partition]) -> int:
    return sum(partition._db.property_int_value("rocksdb.size-all-mem-tables") or 0 for partition in partitions)


def row(moment: int, body: str = "x") -> bytes:
    return stamp(moment) + body.encode()


def test_what_was_written_is_there_when_opened_again(tmp_path: Path) -> None:
    opened(tmp_path / "db").write([(b"k", row(1, "body")), (b"gone", row(2, ""))], 41)
    again = opened(tmp_path / "db")
    assert (again.get(b"k"), again.body(b"k")) == (row(1, "body"), b"body")
    assert (again.get(b"gone"), again.body(b"gone")) == (stamp(2), None)
    assert again.get(RowStore.offset_key) == b"41"


def test_bodies_are_the_living_rows_of_a_prefix(partition: Partition) -> None:
    keys = [b"a", b"p|1", b"p|2", b"p|3", b"p|4", b"q"]
    partition.write([(key, row(1, key.decode())) for key in keys], 0)
    partition.write([(b"p|2", stamp(2))], 1)
    assert keys_of(partition, b"p|") == [b"p|1", b"p|3", b"p|4"]
    assert keys_of(partition, b"p|", start=b"p|2", limit=1) == [b"p|3"]
    assert keys_of(partition, b"p|", backwards=True) == [b"p|4", b"p|3", b"p|1"]
    assert keys_of(partition, b"p|", start=b"p|3", backwards=True) == [b"p|3", b"p|1"]
    assert keys_of(partition, b"none|") == []
    assert keys_of(partition, b"none|", backwards=True) == []


def test_a_scan_in_chunks_finds_every_row_once(partition: Partition) -> None:
    partition.write([(b"p|%03d" % n, row(1)) for n in range(10)], 0)
    assert [[key for key, _ in chunk] for chunk in scan_all(partition, b"p|", 4)] == [
        [b"p|%03d" % n for n in chunk] for chunk in ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9])
    ]


@given(RECORDS)
def test_the_fold_keeps_the_latest_moment_of_each_key_and_names_those_that_went_back(records: list[tuple[bytes, int]]) -> None:
    held: dict[bytes, bytes] = {}
    fold = Fold(held.get)
    for key, moment in records:
        fold.add(key, row(moment))
    last = dict(records)
    best = {key: max(moment for k, moment in records if k == key) for key in last}
    assert fold.rows == {key: row(moment) for key, moment in best.items()}
    assert fold.stale == {key for key in last if last[key] < best[key]}


@pytest.mark.parametrize("foreign", [None, b"", b"short"])
def test_a_record_without_a_stamp_is_held_as_stale(foreign: bytes | None) -> None:
    fold = Fold({b"k": row(3)}.get)
    fold.add(b"k", foreign)
    fold.add(b"unknown", foreign)
    assert (fold.rows, fold.stale) == ({}, {b"k"})


async def test_recovery_appends_again_what_went_back_and_only_then_moves_on() -> None:
    disk, recovery, appended = Disk(), Recovery(), Appends(4)
    recovery.fold(disk, [(0, b"k", row(5)), (1, b"other", row(5)), (2, b"k", row(4)), (3, b"other", row(6))], 3)
    assert disk.persisted == 1, "a crash now must find the stale record again"
    assert await recovery.settle(disk, disk.persisted, 4, appended) == 4
    assert appended.rows == [[(b"k", row(5))]]
    assert disk.persisted == 4


async def test_a_key_that_went_back_and_came_again_needs_no_repair() -> None:
    disk, recovery, appended = Disk(), Recovery(), Appends(0)
    recovery.fold(disk, [(0, b"k", row(5)), (1, b"k", row(4))], 1)
    recovery.fold(disk, [(2, b"k", row(6))], 2)
    assert await recovery.settle(disk, disk.persisted, 3, appended) == 2
    assert (appended.rows, disk.persisted) == ([], 2)


async def test_recovery_is_fenced_when_the_changelog_goes_on() -> None:
    disk, recovery = Disk(), Recovery()
    recovery.fold(disk, [(0, b"k", row(5)), (1, b"k", row(4))], 1)
    with pytest.raises(Fenced):
        await recovery.settle(disk, disk.persisted, 3, Appends(0))
    assert disk.persisted == 0


async def test_many_stale_rows_are_appended_in_parts_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "APPEND_BYTES", 100)
    disk, recovery, appended = Disk(), Recovery(), Appends(20)
    keys = [b"%02d" % n for n in range(10)]
    recovery.fold(disk, [(n, key, row(5)) for n, key in enumerate(keys)], 9)
    recovery.fold(disk, [(10 + n, key, row(4)) for n, key in enumerate(keys)], 19)
    assert await recovery.settle(disk, disk.persisted, 20, appended) == 29
    assert [len(part) for part in appended.rows] == [2, 2, 2, 2, 2]


def test_faust_hands_runs_of_changelogs_to_the_store(store: RowStore) -> None:
    store.apply_changelog_batch([run("rows", 0, (3, b"k", row(1)))], str, str)
    assert store.partition(0).get(b"k") == row(1)
    assert store.partition(0).get(RowStore.offset_key) == b"3"


@pytest.mark.parametrize(("topic", "number"), [("another table's", 0), ("rows", 1)])
def test_runs_of_another_table_or_a_revoked_partition_are_left_out(store: RowStore, topic: str, number: int) -> None:
    store.apply_changelog_batch([run(topic, number, (3, b"k", row(1)))], str, str)
    assert store.partition(0).get(b"k") is None
    assert not store.holds(1)


def test_runs_of_an_earlier_assignment_are_left_out(store: RowStore) -> None:
    store.apply_changelog_batch([run("rows", 0, (3, b"k", row(1)), generation=6)], str, str)
    assert (store.partition(0).get(b"k"), store.folded) == (None, 0)


async def test_a_standby_takes_over_from_where_it_stands(store: RowStore) -> None:
    follow(store, (0, b"a", row(1)), (1, b"b", row(2)))
    assert (store.persisted_offset(PLACE), store.folded) == (1, 2)
    follow(store, (2, b"a", row(3)))
    appended = Appends(3)
    assert await store.settle(PLACE, 3, appended) == 2
    assert (store.partition(0).get(b"a"), store.partition(0).get(b"b"), appended.rows) == (row(3), row(2), [])


async def test_a_standby_repairs_what_a_stale_writer_put_back_only_when_it_takes_over(store: RowStore) -> None:
    follow(store, (0, b"a", row(5)), (1, b"b", row(2)), (2, b"a", row(4)))
    follow(store, (3, b"b", row(6)))
    assert store.persisted_offset(PLACE) == 1, "a take-over after a crash must find the stale record again"
    appended = Appends(4)
    follow(store, (2, b"a", row(4)), (3, b"b", row(6)))  # what its recovery reads again
    assert await store.settle(PLACE, 4, appended) == 4
    assert (appended.rows, store.persisted_offset(PLACE)) == ([[(b"a", row(5))]], 4)


def test_a_standby_goes_on_when_the_owner_has_repaired(store: RowStore) -> None:
    follow(store, (0, b"a", row(5)), (1, b"a", row(4)))
    follow(store, (2, b"a", row(5)))
    assert store.persisted_offset(PLACE) == 2


def follow(store: RowStore, *records: tuple[int, bytes, bytes]) -> None:
    """The owner's changelog comes in."""
    store.apply_changelog_batch([run("rows", 0, *records)], str, str)


def test_an_offset_is_never_written_without_its_rows(store: RowStore) -> None:
    with pytest.raises(AssertionError):
        store.set_persisted_offset(None, 3)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RowStore]:
    """A store with partition 0 open, without Faust."""
    made = object.__new__(RowStore)
    table = Named(changelog_topic=Named(topics=["rows"]))
    dbs = {0: RocksDBOptions(use_rocksdict=True).open(tmp_path / "db")}
    vars(made).update(table=table, app=Named(consumer_generation_id=7), _dbs=dbs, _recoveries={}, folded=0)
    yield made
    made._dbs.clear()


class Named:
    """Anything with attributes."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


def run(topic: str, partition: int, *records: tuple[int, bytes, bytes], generation: int = 7) -> Any:
    """A Faust event with a run of changelog records."""
    made = [Named(offset=offset, key=key, value=value) for offset, key, value in records]
    message = Named(topic=topic, partition=partition, records=made, offset=records[-1][0], generation_id=generation)
    return Named(message=message)


class Appends:
    """A changelog that ends at an offset."""

    def __init__(self, end: int) -> None:
        self.end = end
        self.rows: list[Sequence[tuple[bytes, bytes]]] = []

    async def __call__(self, rows: Sequence[tuple[bytes, bytes]], last: int) -> int:
        assert last + 1 == self.end
        self.rows.append(rows)
        self.end += len(rows)
        return self.end - 1


def keys_of(partition: Partition, prefix: bytes, **how: Any) -> list[bytes]:
    return [key for key, _ in partition.bodies(prefix, **how)]
