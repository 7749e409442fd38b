"""The ledger of a check: what was told and what is held, as tables of a temporary SQLite file, so that memory stays bounded.

The file has no name, is gone when it is closed, and lies where SQLite keeps such files (TMPDIR). `sure` says what a record of a
topic obliges to: 1 = what follows from it is there; 0 = it came after the cut, so may be; 2 = it was read by earlier rules, so
only that it left a trace is known.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

CACHE_KILOBYTES = 64_000
RAW, REQUESTS, REJECTED = "raw", "requests", "rejected"
"""Kinds of topics that retention works on; rules ask by these names since when all is there."""
TOLD = {
    "told": "event_id, anchor, occurred, received, digest, sure, topic, partition, place",
    "pairs": "a, b, occurred, received, sure",
    "names": "key, name",
    "turned": "reason, received, sure, topic, partition, place",
    "requests": "id, kind, a, b, at, sure",
    "rejected": "reason, topic, partition, place",
    "excused": "event_id, reason",
    "merge_refusals": "a, b",
}
"""What the topics say. `topic` is a number, `place` an offset; times are UTC milliseconds."""
HELD = {
    "nodes": "key, uid, erased_at, since",
    "clusters": "uid, state, into_uid",
    "members": "uid, key, namespace, name",
    "links": "uid, a, b, received",
    "refusals": "a, b",
    "request_rows": "id, state, detail",
    "headers": "uid, state, events, aged, listed_since, moving",
    "entries": "uid, event_id, occurred, received, anchor, digest, subject, gap, repeats",
    "cursors": "source, number",
}
"""What the workers say."""
INDEXES = {
    "told": ("event_id",),
    "names": ("key",),
    "pairs": ("a, b", "b"),
    "rejected": ("topic, partition, place",),
    "excused": ("event_id",),
    "merge_refusals": ("a, b",),
    "nodes": ("key",),
    "clusters": ("uid",),
    "members": ("key", "uid"),
    "links": ("a, b", "uid"),
    "refusals": ("a, b",),
    "request_rows": ("id",),
    "headers": ("uid",),
    "entries": ("uid, event_id", "event_id", "uid, subject, occurred"),
}


class Ledger:
    """Rows in, questions out."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KILOBYTES}")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("BEGIN")
        for table, columns in (TOLD | HELD).items():
            self._db.execute(f"CREATE TABLE {table} ({columns})")

    def add(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """More rows of a table, in the order of its columns."""
        if rows:
            marks = ",".join("?" * len(rows[0]))
            self._db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def forget_held(self) -> None:
        """The rows of the workers will be read anew."""
        for table in HELD:
            self._db.execute(f"DROP TABLE {table}")
            self._db.execute(f"CREATE TABLE {table} ({HELD[table]})")

    def index(self) -> None:
        """Before questions are asked; what is indexed already stays so."""
        for table, wanted in INDEXES.items():
            for number, columns in enumerate(wanted):
                self._db.execute(f"CREATE INDEX IF NOT EXISTS {table}_{number} ON {table} ({columns})")
        self._db.execute("ANALYZE")

    def derive(self, table: str, query: str, index: str, values: dict[str, Any]) -> None:
        """A table that follows from others."""
        self._db.execute(f"DROP TABLE IF EXISTS {table}")
        self._db.execute(f"CREATE TABLE {table} AS {query}", _used(query, values))
        self._db.execute(f"CREATE INDEX {table}_0 ON {table} ({index})")

    def ask(self, query: str, values: dict[str, Any] | None = None) -> Iterator[tuple[Any, ...]]:
        """The rows of a question; `:name` in it is one of the values."""
        return iter(self._db.execute(query, _used(query, values or {})))

    def one(self, query: str, values: dict[str, Any] | None = None) -> Any:
        """The single value of a question."""
        return next(self.ask(query, values))[0]

    def close(self) -> None:
        """The file is gone."""
        self._db.close()


def _used(query: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in query}


def batches(rows: Iterable[tuple[Any, ...]], size: int = 2_000) -> Iterator[list[tuple[Any, ...]]]:
    """Rows by the batch."""
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
