"""Rows of a table in RocksDB: a stamp, then the body; what a batch changes is written at once with its changelog offset.

The stamp is the moment (`packs.moment`) of the inbox message that the row applied last, plus one, as 8 bytes that compare like
the number; the offset alone would not do, for a batch that is split within a record appends two states of it. An empty body
is a tombstone: deleting is a change like any other and carries its stamp, so that recovery can order it. Recovery folds the
changelog monotonically: a record with a smaller stamp than the row held came from a stale writer and is ignored. If such a
record is the last one of its key, compaction would keep it, so the key is *stale* until the held row is appended again; up to
there the persisted offset stays before it, so that no crash forgets it.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import rocksdict
from faust.stores import rocksdb as faust_rocksdb
from faust.types import TP, EventT

from app.runtime.durable import APPEND_BYTES, Fenced, appended_size

STAMP = 8
FIRST = bytes(STAMP)
_MEGABYTE = 1 << 20
CACHE_BYTES = 64 * _MEGABYTE
_cache = rocksdict.Cache(CACHE_BYTES)
UNFLUSHED_BYTES = 64 * _MEGABYTE
"""Of rows in memory that are not on disk yet: they are in the changelog."""
_unflushed = rocksdict.WriteBufferManager(UNFLUSHED_BYTES, allow_stall=False)


def stamp(moment: int) -> bytes:
    """The stamp of a row that has applied the inbox message of that moment."""
    return (moment + 1).to_bytes(STAMP, "big")


def moment_of(row: bytes) -> int:
    """The moment of the inbox message that a row applied last."""
    return int.from_bytes(row[:STAMP], "big") - 1


class RocksDBOptions(faust_rocksdb.RocksDBOptions):
    """Faust's options with a bloom filter that is one; one block cache, and one bound on what is not flushed, for all partitions.

    A partition with a single row in memory takes a third of a megabyte of that bound: RocksDB's own 2.6 would make every write a
    flush as soon as a worker has a dozen partitions. A fiftieth of 16 MB is still more than 50 bits for each row of them.

    The cache holds index and filters too, so that memory is bounded however much a disk holds. Both are cut into blocks of their
    own: the whole index of a file fits into no shard of the cache, so it would be read and unpacked anew for every row.
    """

    def open(self, path: Path, *, read_only: bool = False) -> rocksdict.Rdict:
        """Names the column family: for rows that are there already, rocksdict else takes the options it finds beside them."""
        options = self.as_options()
        return rocksdict.Rdict(str(path), options=options, column_families={"default": options})

    def as_options(self) -> rocksdict.Options:
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_max_open_files(256)
        options.set_write_buffer_size(16 * _MEGABYTE)
        options.set_max_write_buffer_number(2)
        options.set_write_buffer_manager(_unflushed)
        options.set_memtable_whole_key_filtering(True)
        options.set_memtable_prefix_bloom_ratio(0.02)
        options.set_arena_block_size(_MEGABYTE // 8)
        options.set_compression_type(rocksdict.DBCompressionType.lz4())
        table = rocksdict.BlockBasedOptions()
        table.set_bloom_filter(10, block_based=False)
        table.set_block_cache(_cache)
        table.set_cache_index_and_filter_blocks(True)
        table.set_pin_l0_filter_and_index_blocks_in_cache(True)
        table.set_index_type(rocksdict.BlockBasedIndexType.two_level_index_search())
        table.set_partition_filters(True)
        options.set_block_based_table_factory(table)
        return options


class Fold:
    """Monotone fold of changelog records into a partition, and the keys whose last record went back."""

    def __init__(self, get: Callable[[bytes], bytes | None]) -> None:
        self._get = get
        self.rows: dict[bytes, bytes] = {}
        self.stale: set[bytes] = set()

    def add(self, key: bytes, value: bytes | None) -> None:
        """Takes a record; one that no stage of ours has written (no stamp) is held as stale too."""
        held = self.rows.get(key) or self._get(key)
        if value is None or len(value) < STAMP or (held is not None and value[:STAMP] < held[:STAMP]):
            if held is not None:
                self.stale.add(key)
            return
        self.rows[key] = value
        self.stale.discard(key)


class Partition:
    """One partition of a table: typed access to stamped rows. Never hands out an iterator."""

    def __init__(self, db: rocksdict.Rdict) -> None:
        self._db = db

    def get(self, key: bytes) -> bytes | None:
        """The row with its stamp; a deleted one is its stamp alone."""
        return self._db.get(key)

    def body(self, key: bytes) -> bytes | None:
        """The row without its stamp; None for one that is not there or was deleted."""
        row = self._db.get(key)
        return row[STAMP:] if row is not None and len(row) > STAMP else None

    def bodies(
        self, prefix: bytes, *, start: bytes | None = None, backwards: bool = False, limit: int = 1000
    ) -> list[tuple[bytes, bytes]]:
        """At most `limit` living rows whose key begins with `prefix`, from `start` on, as (key, body)."""
        first = start if start is not None else prefix + b"\xff" if backwards else prefix
        found: list[tuple[bytes, bytes]] = []
        stored: Any = self._db.items(backwards=backwards, from_key=first)
        for key, row in stored:
            if not key.startswith(prefix):
                if backwards and key > prefix:
                    continue
                break
            if len(row) > STAMP:
                found.append((key, row[STAMP:]))
                if len(found) >= limit:
                    break
        return found

    def write(self, rows: Iterable[tuple[bytes, bytes]], persisted: int) -> None:
        """One atomic write: stamped rows and the changelog offset up to which they are known."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, row in rows:
            batch.put(key, row)
        batch.put(RowStore.offset_key, str(persisted).encode())
        self._db.write(batch)


class Rows(Protocol):
    """A partition of a table, as far as recovery touches it."""

    def get(self, key: bytes) -> bytes | None: ...

    def write(self, rows: Iterable[tuple[bytes, bytes]], persisted: int) -> None: ...


Append = Callable[[Sequence[tuple[bytes, bytes]], int], Awaitable[int]]
"""Appends rows to the changelog behind an offset, or raises Fenced; the new last offset."""


class Recovery:
    """How one partition catches up with its changelog and repairs what a stale writer put back. Knows nothing of Faust."""

    def __init__(self) -> None:
        self._stale: dict[bytes, int] = {}
        self._last = -1

    def fold(self, rows: Rows, records: Iterable[tuple[int, bytes, bytes | None]], last: int) -> None:
        """Folds (offset, key, value) records that end at offset `last` into the rows."""
        fold = Fold(rows.get)
        for offset, key, value in records:
            fold.add(key, value)
            if key in fold.stale:
                self._stale.setdefault(key, offset)
            else:
                self._stale.pop(key, None)
        self._last = last
        rows.write(fold.rows.items(), min(self._stale.values()) - 1 if self._stale else last)

    async def settle(self, rows: Rows, persisted: int, end: int, append: Append) -> int:
        """Appends the stale keys again, under the fence; the changelog offset that is then persisted.

        Fenced: the changelog, which ends before `end`, goes on behind what was folded.
        """
        last = self._last if self._stale else persisted
        if last + 1 != end:
            raise Fenced(f"the changelog ends at {end}, recovery at {last + 1}")
        if self._stale:
            for part in self._parts(rows):
                last = await append(part, last)
            self._stale.clear()
            rows.write((), last)
        return last

    def _parts(self, rows: Rows) -> Iterator[list[tuple[bytes, bytes]]]:
        """The rows held under stale keys, in parts that fit into one append each."""
        part: list[tuple[bytes, bytes]] = []
        size = 0
        for key in sorted(self._stale):
            held = rows.get(key)
            assert held is not None, "a key is stale only where a row is held"
            if size + (more := appended_size([(key, held)])) > APPEND_BYTES and part:
                yield part
                part, size = [], 0
            part.append((key, held))
            size += more
        yield part


class RowStore(faust_rocksdb.Store):
    """Faust's RocksDB store with our options, a monotone recovery and direct access to its partitions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rocksdb_options = RocksDBOptions(use_rocksdict=True)
        self._recoveries: dict[int, Recovery] = {}
        self.folded = 0
        """Changelog records read since the start, for owned partitions and for standbys."""

    def partition(self, number: int) -> Partition:
        """An open partition; KeyError when this worker does not hold it."""
        return Partition(self._dbs[number])

    def holds(self, number: int) -> bool:
        """Whether the partition is open here."""
        return number in self._dbs

    async def settle(self, tp: TP, end: int, append: Append) -> int:
        """Ends the recovery of a partition whose changelog ends before `end`; see `Recovery.settle`."""
        persisted = self.persisted_offset(tp)
        recovery = self._recoveries.pop(tp.partition, None) or Recovery()
        return await recovery.settle(self.partition(tp.partition), -1 if persisted is None else persisted, end, append)

    def apply_changelog_batch(
        self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Recovery: folds runs of changelog records; called by Faust for actives and standbys alike.

        Faust hands the runs of a partition that was just revoked to whichever table came last; those are left out. So are
        those of an earlier assignment: others before them were thrown away, and will be read again.
        """
        topics = self.table.changelog_topic.topics
        for event in batch:
            run: Any = event.message
            if run.topic in topics and self.holds(run.partition) and run.generation_id == self.app.consumer_generation_id:
                self.folded += len(run.records)
                self.fold(run.partition, ((r.offset, r.key, r.value) for r in run.records), run.offset)

    def fold(self, number: int, records: Iterable[tuple[int, bytes, bytes | None]], last: int) -> None:
        """Folds (offset, key, value) records that end at offset `last` into an open partition."""
        self._recoveries.setdefault(number, Recovery()).fold(self.partition(number), records, last)

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """Refused: the offset is written together with the rows it stands for, never alone."""
        raise AssertionError("the persisted offset is written with its rows")

    def partition_path(self, partition: int) -> Path:
        return Path(super().partition_path(partition))


def scan_all(partition: Partition, prefix: bytes, chunk: int = 1000) -> Iterator[list[tuple[bytes, bytes]]]:
    """All living rows of a prefix in chunks; between two chunks the caller may yield to others."""
    start: bytes | None = None
    while rows := partition.bodies(prefix, start=start, limit=chunk):
        yield rows
        start = rows[-1][0] + b"\0"
