"""What waits on disk for the centre: events in order, ids that were seen, counts of what was held back, how far files are read.

One SQLite file with a full sync at every commit. `take` is the one transaction in which lines are read: their events wait, and
where the next line begins is known, or neither. SQLite keeps what was freed for what comes, so the size is what is in use.
"""

import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from app.edge.sieve import Kept
from models.clicks import gap_of
from models.edge import REPEAT
from models.event import Reason

SEEN_MS = 48 * 3_600_000
"""So long an id is remembered; a repetition that comes later is found by the centre."""
TOLD_MS = 60_000
"""What was held back is told for so long at a time."""
PRUNE_EVERY = 500
"""Transactions between two looks for ids that may be forgotten."""

_SCHEMA = """
create table if not exists waiting (seq integer primary key autoincrement, event blob not null);
create table if not exists seen (id blob primary key, at integer not null) without rowid;
create table if not exists clicks (subject text primary key, at integer not null) without rowid;
create table if not exists tellings
    (number integer primary key autoincrement, id text, since integer, until integer, open integer);
create table if not exists counts (telling integer, reason text, count integer, primary key (telling, reason));
create table if not exists files (name text primary key, identity text not null, offset integer not null);
create table if not exists refused (seq integer primary key autoincrement, event blob not null, why text not null);
"""
REPEATED_CLICK: Reason = "repeated_click"
READ = ""
"""Stands among the reasons for what was read at all."""


class Place(NamedTuple):
    """How far a file is read: bytes, unpacked; `identity` tells a file from another one of its name."""

    name: str
    identity: str
    offset: int


class Telling(NamedTuple):
    """Counts by reason of a while that is over; `id` never changes. Milliseconds."""

    number: int
    id: str
    since_ms: int
    until_ms: int
    counts: dict[str, int]


class Spool:
    """For several threads, one at a time. Raises sqlite3.Error when the disk does not do its part."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(_SCHEMA)
        self._taken = 0

    def close(self) -> None:
        """Lets go of the file. A thread in the middle of something finishes it; whoever comes later gets sqlite3.Error."""
        with self._lock:
            self._db.close()

    def take(self, judged: Iterable[Kept | str], now_ms: int, place: Place | None = None) -> Counter[str]:
        """Lines were read up to `place`, and judged; what was held back, by reason, with `READ` for all of them."""
        with self._lock, self._db:
            self._db.execute("begin immediate")
            counts: Counter[str] = Counter()
            for one in judged:
                counts[READ] += 1
                if isinstance(one, str):
                    counts[one] += 1
                else:
                    counts.update(self._kept(one, now_ms))
            telling = self._telling(now_ms)
            rows = [(telling, reason, count) for reason, count in counts.items()]
            self._db.executemany(
                "insert into counts values (?, ?, ?) on conflict do update set count = count + excluded.count", rows
            )
            if place is not None:
                self._db.execute("insert or replace into files values (?, ?, ?)", place)
            self._prune(now_ms)
        return counts

    def next(self, count_max: int, bytes_max: int) -> list[tuple[int, bytes]]:
        """The events that have waited longest, with their numbers: one at least, if there is one."""
        with self._lock:
            rows = self._db.execute("select seq, event from waiting order by seq limit ?", (count_max,)).fetchall()
        found, size = list[tuple[int, bytes]](), 0
        for seq, event in rows:
            size += len(event)
            if found and size > bytes_max:
                break
            found.append((seq, event))
        return found

    def sent(self, numbers: Sequence[int]) -> None:
        """These have arrived."""
        with self._lock, self._db:
            self._db.execute("begin immediate")
            self._db.executemany("delete from waiting where seq = ?", [(number,) for number in numbers])

    def set_aside(self, number: int, event: bytes, why: str) -> None:
        """This one the centre will never take; it is kept for whoever wants to look."""
        with self._lock, self._db:
            self._db.execute("begin immediate")
            self._db.execute("insert into refused (event, why) values (?, ?)", (event, why))
            self._db.execute("delete from waiting where seq = ?", (number,))

    def waiting(self) -> int:
        """How many events wait."""
        with self._lock:
            return int(self._db.execute("select count(*) from waiting").fetchone()[0])

    def size(self) -> int:
        """Bytes in use."""
        with self._lock:
            pages, free, each = (
                self._db.execute(f"pragma {what}").fetchone()[0] for what in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * each)

    def tellings(self, *, at_end: bool = False) -> list[Telling]:
        """What is to be told of the times that are over; `at_end`: the present one is over too."""
        with self._lock, self._db:
            self._db.execute("begin immediate")
            if at_end:
                self._db.execute("update tellings set open = 0")
            found = self._db.execute("select number, id, since, until from tellings where open = 0 order by number").fetchall()
            return [Telling(row[0], row[1], row[2], row[3], self._counts(row[0])) for row in found]

    def told(self, number: int) -> None:
        """The centre knows."""
        with self._lock, self._db:
            self._db.execute("begin immediate")
            self._db.execute("delete from counts where telling = ?", (number,))
            self._db.execute("delete from tellings where number = ?", (number,))

    def offset(self, name: str, identity: str) -> int:
        """Where the next line of a file begins."""
        with self._lock:
            row = self._db.execute("select offset from files where name = ? and identity = ?", (name, identity)).fetchone()
        return int(row[0]) if row else 0

    def forget_files(self, but: Iterable[str]) -> None:
        """Only these files are there."""
        there = set(but)
        with self._lock, self._db:
            self._db.execute("begin immediate")
            gone = [(name,) for (name,) in self._db.execute("select name from files").fetchall() if name not in there]
            self._db.executemany("delete from files where name = ?", gone)

    def _telling(self, now_ms: int) -> int:
        """The number of the time that is not over, which has begun now if there is none."""
        self._db.execute("update tellings set open = 0 where open = 1 and not ? between since and since + ?", (now_ms, TOLD_MS))
        self._db.execute("update tellings set until = ? where open = 1", (now_ms,))
        row = self._db.execute("select number from tellings where open = 1").fetchone()
        if row is None:
            new = (uuid.uuid4().hex, now_ms, now_ms)
            return int(self._db.execute("insert into tellings (id, since, until, open) values (?, ?, ?, 1)", new).lastrowid or 0)
        return int(row[0])

    def _counts(self, telling: int) -> dict[str, int]:
        return dict(self._db.execute("select reason, count from counts where telling = ?", (telling,)).fetchall())

    def _kept(self, event: Kept, now_ms: int) -> Iterator[str]:
        """The event waits, or the reason why it does not."""
        if not self._is_new(event.id, now_ms):
            yield REPEAT
        elif event.click is not None and not self._is_next(event.click, event.occurred_at_ms):
            yield REPEATED_CLICK
        else:
            self._db.execute("insert into waiting (event) values (?)", (event.raw,))

    def _is_next(self, subject: str, at_ms: int) -> bool:
        """Whether a click lies far enough behind the last one that was kept; one from before it is the centre's to judge."""
        row = self._db.execute("select at from clicks where subject = ?", (subject,)).fetchone()
        if row is not None and 0 <= at_ms - row[0] < gap_of(subject):
            return False
        if row is None or row[0] < at_ms:
            self._db.execute("insert or replace into clicks values (?, ?)", (subject, at_ms))
        return True

    def _is_new(self, name: bytes, now_ms: int) -> bool:
        return self._db.execute("insert or ignore into seen values (?, ?)", (name, now_ms)).rowcount == 1

    def _prune(self, now_ms: int) -> None:
        self._taken += 1
        if self._taken % PRUNE_EVERY == 1:
            self._db.execute("delete from seen where at < ?", (now_ms - SEEN_MS,))
            self._db.execute("delete from clicks where at < ?", (now_ms - SEEN_MS,))
