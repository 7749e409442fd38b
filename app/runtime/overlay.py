"""What one batch sees of its table: rows as they are, with its own changes on top, decoded once and encoded once."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from itertools import islice, takewhile
from typing import Any, Generic, Literal, Protocol, TypeVar

from app.runtime.rows import STAMP, stamp

R = TypeVar("R")


Replaced = tuple[bytes, R | None, R | None]
"""A key, the row before a batch, and after it."""


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


V = TypeVar("V")
D = TypeVar("D")


class Lately(Generic[V]):
    """A dictionary that forgets: whenever MAX values have come together, those that were not asked for since the last time go."""

    MAX = 4_000

    def __init__(self) -> None:
        self._young: dict[Any, V] = {}
        self._old: dict[Any, V] = {}

    def get(self, key: bytes | str, default: D) -> V | D:
        """The value, or `default` if there is none, or none any more."""
        value = self._young.get(key, UNSEEN)
        if value is UNSEEN:
            value = self._old.get(key, UNSEEN)
            if value is UNSEEN:
                return default
            self._young[key] = value
        return value

    def put(self, key: bytes | str, value: V) -> None:
        """Keeps a value."""
        self._young[key] = value

    def drop(self, key: bytes | str) -> None:
        """Forgets a value."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def trim(self) -> None:
        """Lets go of what is too much; until then nothing is forgotten."""
        if len(self._young) >= self.MAX:
            self._young, self._old = {}, self._young


class Recent(Generic[R]):
    """Decoded rows of a partition as they are at one changelog offset; good for the next batch if that begins there.

    What a partition holds follows from its changelog offset alone, so nothing else can make these rows wrong. `found` is for what
    actors found out from rows: they drop it when they change one of these.
    """

    def __init__(self, persisted: int) -> None:
        self.persisted = persisted
        self.rows: Lately[R | None] = Lately()
        self.found: Lately[Any] = Lately()

    def doubt(self) -> None:
        """A batch came to nothing: what it found out may be of rows that never were."""
        self.found = Lately()

    def follow(self, persisted: int, replaced: Iterable[Replaced[R]]) -> None:
        """The partition is at another offset now, where a batch has changed these rows."""
        self.persisted = persisted
        for key, _, row in replaced:
            self.rows.put(key, row)
        self.rows.trim()
        self.found.trim()


class Unreadable(Exception):
    """The table cannot be read: no fault of the message, so not a reason to reject it."""


class Overlay(Generic[R]):
    """Rows as one batch sees them. A row that is put or deleted carries the moment in hand."""

    def __init__(self, table: Readable, codec: Codec[R], recent: Recent[R]) -> None:
        self._table, self._codec, self._recent = table, codec, recent.rows
        self.found = recent.found
        self._changed: dict[bytes, tuple[int, R | None]] = {}
        """In order of first change, each with the moment of its last one."""
        self._before: list[tuple[bytes, tuple[int, R | None] | None]] = []
        self._fresh: list[bytes] = []
        """Changed since the last scan; then by their first letter, for only some kinds of rows are scanned."""
        self._sorted: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self._unsorted: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self.moment = -1

    def begin(self, moment: int) -> None:
        """The next changes belong to the message of this moment."""
        self.moment = moment
        self._before.clear()

    def undo(self) -> None:
        """Takes back what was changed since `begin`."""
        while self._before:
            key, change = self._before.pop()
            if change is None:
                del self._changed[key]
            else:
                self._changed[key] = change
        self._sorted.clear()
        self._unsorted.clear()
        self._fresh = list(self._changed)

    def get(self, key: bytes) -> R | None:
        """The row as it is now; None if there is none."""
        change = self._changed.get(key)
        if change is not None:
            return change[1]
        row = self._recent.get(key, UNSEEN)
        return self._load(key) if row is UNSEEN else row

    def put(self, key: bytes, row: R | None) -> None:
        """Writes a row."""
        change = self._changed.get(key)
        if change is None:
            self._fresh.append(key)
        self._before.append((key, change))
        self._changed[key] = self.moment, row

    def delete(self, key: bytes) -> None:
        """Deletes a row; one that is not there stays away without a trace."""
        if self.get(key) is not None:
            self.put(key, None)

    def scan(self, prefix: bytes, start: bytes | None = None, limit: int = 1000) -> list[tuple[bytes, R]]:
        """At most `limit` living rows of a prefix in order of key, from `start` on, as this batch has changed them."""
        first = max(start or prefix, prefix)
        changed = [(key, self._changed[key][1]) for key in self._changed_from(first, prefix)]
        gone = sum(1 for _, row in changed if row is None)
        stored = self._scan(prefix, first, limit + gone)
        rows = {key: self._decoded(key, body) for key, body in stored if key not in self._changed}
        rows.update((key, row) for key, row in changed if row is not None)
        return sorted(rows.items(), key=lambda item: item[0])[:limit]

    def _changed_from(self, first: bytes, prefix: bytes) -> list[bytes]:
        """The changed keys of a prefix, from `first` on, in order."""
        for key in self._fresh:
            self._unsorted[key[:1]].append(key)
        self._fresh.clear()
        in_order, unsorted = self._sorted[prefix[:1]], self._unsorted[prefix[:1]]
        for key in unsorted:
            insort(in_order, key)
        unsorted.clear()
        keys = islice(in_order, bisect_left(in_order, first), None)
        return list(takewhile(lambda key: key.startswith(prefix), keys))

    def replaced(self) -> list[Replaced[R]]:
        """What was changed of the kinds of rows that return. To be asked before the changes are written."""
        returns = self._codec.returns
        return [(key, self._was(key), row) for key, (_, row) in self._changed.items() if returns(key)]

    def changes(self) -> list[tuple[bytes, bytes]]:
        """What was changed, stamped and encoded, in order of first change."""
        encode, marked, mark, found = self._codec.encode, -1, stamp(-1), list[tuple[bytes, bytes]]()
        for key, (moment, row) in self._changed.items():
            if moment != marked:
                marked, mark = moment, stamp(moment)
            found.append((key, mark if row is None else mark + encode(key, row)))
        return found

    def _was(self, key: bytes) -> R | None:
        row = self._recent.get(key, UNSEEN)
        return self._load(key) if row is UNSEEN else row

    def _load(self, key: bytes) -> R | None:
        """A row of the table, which nobody has met lately."""
        raw = self._read(key)
        row = self._decoded(key, raw[STAMP:]) if raw is not None and len(raw) > STAMP else None
        if self._codec.returns(key):
            self._recent.put(key, row)
        return row

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
