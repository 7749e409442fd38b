"""What one batch sees of its table: rows as they are, with its own changes on top, decoded once and encoded once."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from itertools import islice, takewhile
from typing import Generic, Literal, Protocol, TypeVar

from app.runtime.rows import STAMP, stamp

R = TypeVar("R")


class Codec(Protocol[R]):
    """How rows become bytes; `decode` gets the key too, since it tells the kind of row."""

    def encode(self, key: bytes, row: R) -> bytes: ...

    def decode(self, key: bytes, body: bytes) -> R: ...

    def returns(self, key: bytes) -> bool:
        """Whether a row of this kind is likely to be read again soon."""
        ...


class Readable(Protocol):
    """A partition of a table, as far as a batch reads it."""

    def get(self, key: bytes) -> bytes | None: ...

    def bodies(
        self, prefix: bytes, *, start: bytes | None = None, backwards: bool = False, limit: int = 1000
    ) -> list[tuple[bytes, bytes]]: ...


class Unseen(Enum):
    """In place of a row that the batch has not seen."""

    UNSEEN = 1


UNSEEN: Literal[Unseen.UNSEEN] = Unseen.UNSEEN


class Recent(Generic[R]):
    """Decoded rows of a partition as they are at one changelog offset; good for the next batch if that begins there.

    What a partition holds follows from its changelog offset alone, so nothing else can make these rows wrong. Whenever ROWS_MAX
    have come together, those that no batch has met since the last time give way, so there are at most twice as many.
    """

    ROWS_MAX = 6_000

    def __init__(self, persisted: int) -> None:
        self.persisted = persisted
        self._young: dict[bytes, R | None] = {}
        self._old: dict[bytes, R | None] = {}

    def get(self, key: bytes) -> R | Unseen | None:
        """The row, None if there is none in the table."""
        row = self._young.get(key, UNSEEN)
        return self._old.get(key, UNSEEN) if row is UNSEEN else row

    def follow(self, persisted: int, rows: dict[bytes, R | None]) -> None:
        """The partition is at another offset now, with these rows as they were seen or left by a batch."""
        self.persisted = persisted
        self._young.update(rows)
        if len(self._young) >= self.ROWS_MAX:
            self._young, self._old = {}, self._young


class Unreadable(Exception):
    """The table cannot be read: no fault of the message, so not a reason to reject it."""


class Overlay(Generic[R]):
    """Rows seen and changed by one batch. A row that is put or deleted carries the moment in hand."""

    def __init__(self, table: Readable, codec: Codec[R], recent: Recent[R]) -> None:
        self._table, self._codec, self._recent = table, codec, recent
        self._seen: dict[bytes, R | None] = {}
        self._changed: dict[bytes, int] = {}
        self._stored: dict[bytes, R | None] = {}
        self._before: list[tuple[bytes, R | Unseen | None, int | None]] = []
        self._sorted: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self._unsorted: defaultdict[bytes, list[bytes]] = defaultdict(list)
        """Changed since the last scan, by their first letter as those before, for only some kinds of rows are scanned."""
        self.moment = -1

    def begin(self, moment: int) -> None:
        """The next changes belong to the message of this moment."""
        self.moment = moment
        self._before.clear()

    def undo(self) -> None:
        """Takes back what was changed since `begin`."""
        while self._before:
            key, row, moment = self._before.pop()
            if isinstance(row, Unseen):
                del self._seen[key]
            else:
                self._seen[key] = row
            if moment is None:
                del self._changed[key]
            else:
                self._changed[key] = moment
        self._sorted.clear()
        self._unsorted.clear()
        for key in self._changed:
            self._unsorted[key[:1]].append(key)

    def get(self, key: bytes) -> R | None:
        """The row as it is now; None if there is none."""
        row = self._seen.get(key, UNSEEN)
        if row is UNSEEN:
            row = self._recent.get(key)
            if row is UNSEEN:
                raw = self._read(key)
                row = self._decoded(key, raw[STAMP:]) if raw is not None and len(raw) > STAMP else None
            self._seen[key] = row
            if self._codec.returns(key):
                self._stored[key] = row
        return row

    def put(self, key: bytes, row: R) -> None:
        """Writes a row. One of a kind that never returns is not read first: nobody asks what it was."""
        before = self._seen.get(key, UNSEEN)
        if before is UNSEEN and self._codec.returns(key):
            before = self.get(key)
        self._change(key, before, row)

    def delete(self, key: bytes) -> None:
        """Deletes a row; one that is not there stays away without a trace."""
        row = self.get(key)
        if row is not None:
            self._change(key, row, None)

    def _change(self, key: bytes, before: R | Unseen | None, row: R | None) -> None:
        moment = self._changed.get(key)
        if moment is None:
            self._unsorted[key[:1]].append(key)
        self._before.append((key, before, moment))
        self._seen[key] = row
        self._changed[key] = self.moment

    def scan(self, prefix: bytes, start: bytes | None = None, limit: int = 1000) -> list[tuple[bytes, R]]:
        """At most `limit` living rows of a prefix in order of key, from `start` on, as this batch has changed them."""
        first = max(start or prefix, prefix)
        changed = self._changed_from(first, prefix)
        gone = sum(1 for key in changed if self._seen[key] is None)
        stored = self._scan(prefix, first, limit + gone)
        rows = {key: self._decoded(key, body) for key, body in stored if key not in self._changed}
        for key in changed:
            row = self._seen[key]
            if row is not None:
                rows[key] = row
        return sorted(rows.items(), key=lambda item: item[0])[:limit]

    def _changed_from(self, first: bytes, prefix: bytes) -> list[bytes]:
        """The changed keys of a prefix, from `first` on, in order."""
        in_order, unsorted = self._sorted[prefix[:1]], self._unsorted[prefix[:1]]
        for key in unsorted:
            insort(in_order, key)
        unsorted.clear()
        keys = islice(in_order, bisect_left(in_order, first), None)
        return list(takewhile(lambda key: key.startswith(prefix), keys))

    def replaced(self) -> Iterator[tuple[bytes, R | None, R | None]]:
        """What was changed of the kinds of rows that return, as (key, row before the batch, row after it)."""
        for key, before in self._stored.items():
            if key in self._changed:
                yield key, before, self._seen[key]

    def returning(self) -> dict[bytes, R | None]:
        """The rows seen or left by this batch that are likely to be read again."""
        return {key: self._seen[key] for key in self._stored}

    def changes(self) -> list[tuple[bytes, bytes]]:
        """What was changed, stamped and encoded, in order of first change."""
        seen, encode = self._seen, self._codec.encode
        return [
            (key, stamp(moment) if (row := seen[key]) is None else stamp(moment) + encode(key, row))
            for key, moment in self._changed.items()
        ]

    def _decoded(self, key: bytes, body: bytes) -> R:
        try:
            return self._codec.decode(key, body)
        except Exception as error:  # a row of another format, or a damaged one
            raise Unreadable(f"row {key!r}: {error}") from error

    def _read(self, key: bytes) -> bytes | None:
        try:
            return self._table.get(key)
        except Exception as error:  # whatever the store raises
            raise Unreadable(f"row {key!r}") from error

    def _scan(self, prefix: bytes, start: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        try:
            return self._table.bodies(prefix, start=start, limit=limit)
        except Exception as error:  # whatever the store raises
            raise Unreadable(f"rows from {start!r}") from error
