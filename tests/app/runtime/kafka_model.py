"""A model of Kafka and of two workers' disks, on which the real stages, relays and recovery run.

Everything that touches the broker or ends an effect is a `pause`: whoever drives the coroutine may stop there for good (a crash),
for a while (a stalled worker), or let others go first. So of what was sent to each destination a prefix arrives, an
append is there or not, and between any two effects anything may happen. The broker keeps what was appended, compacts
changelogs to the last record of each key, and never reorders.
"""

from collections.abc import Generator, Iterable, Sequence
from typing import NamedTuple

from app.runtime.durable import Fenced, Record
from app.runtime.packs import Packed
from app.runtime.rows import STAMP

Place = tuple[str, int]
Rows = Sequence[tuple[bytes, bytes]]


class Crashed(Exception):
    """A process ended between two effects."""


class Pause:
    """Where a process may be stopped: before or after an effect, by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __await__(self) -> Generator[str, None, None]:
        yield self.name


class Inbound(NamedTuple):
    """A record of an inbox."""

    offset: int
    value: bytes


class Entry(NamedTuple):
    """A record of a changelog."""

    offset: int
    key: bytes
    value: bytes


class Changelog:
    """One partition of a compacted topic."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.end = 0

    def append(self, rows: Rows) -> int:
        """One record batch; the offset of its first record."""
        base = self.end
        self.entries += [Entry(base + n, key, value) for n, (key, value) in enumerate(rows)]
        self.end += len(rows)
        return base

    def behind(self, offset: int) -> list[Entry]:
        """What is still there behind an offset."""
        return [entry for entry in self.entries if entry.offset > offset]

    def compact(self, cut: int) -> None:
        """Before `cut`, only the last record of each key stays."""
        last = {entry.key: entry.offset for entry in self.entries if entry.offset < cut}
        self.entries = [entry for entry in self.entries if entry.offset >= cut or last[entry.key] == entry.offset]


class Broker:
    """Inboxes, changelogs, records for the outside, and how far each partition is committed."""

    def __init__(self) -> None:
        self.inboxes: dict[Place, list[Inbound]] = {}
        self.changelogs: dict[Place, Changelog] = {}
        self.committed: dict[Place, int] = {}
        self.outside: list[Record] = []

    def inbox(self, place: Place) -> list[Inbound]:
        """One partition."""
        return self.inboxes.setdefault(place, [])

    def changelog(self, place: Place) -> Changelog:
        """One partition."""
        return self.changelogs.setdefault(place, Changelog())

    def deliver(self, place: Place, value: bytes) -> None:
        """Appends a record to an inbox."""
        inbox = self.inbox(place)
        inbox.append(Inbound(len(inbox), value))


class Port:
    """One process's way to the broker, as `app.runtime.durable.Producer` promises it."""

    def __init__(self, broker: Broker, disk: "Disk") -> None:
        self.broker, self.disk = broker, disk
        self.stale = False

    async def publish(self, records: Sequence[Record], rounds: Iterable[Sequence[Packed]]) -> None:
        """Of each round any prefix arrives before a crash; the next one begins when all of it has arrived."""
        for record in records:
            await Pause("publish")
            self.broker.outside.append(record)
        for packs in rounds:
            for topic, partition, value in packs:
                await Pause("publish")
                self.broker.deliver((topic, partition), value)
        await Pause("published")

    async def append(self, topic: str, partition: int, rows: Rows, last: int) -> int:
        """Lands as a whole, wherever the changelog ends by then."""
        await Pause("append")
        base = self.broker.changelog((topic, partition)).append(rows)
        await Pause("appended")
        self.mind(base, last)
        return base + len(rows) - 1

    async def applied(self) -> None:
        """The batch is on the disk: nothing is left to do."""

    def mind(self, base: int, last: int) -> None:
        """The fence."""
        if base != last + 1:
            raise Fenced(f"expected {last + 1}, landed at {base}")


class Disk:
    """A partition of a table on one worker."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.persisted = -1

    def get(self, key: bytes) -> bytes | None:
        """A row with its stamp."""
        return self.rows.get(key)

    def body(self, key: bytes) -> bytes | None:
        """A living row without its stamp."""
        row = self.rows.get(key)
        return row[STAMP:] if row is not None and len(row) > STAMP else None

    def bodies(
        self, prefix: bytes, *, start: bytes | None = None, backwards: bool = False, limit: int = 1000
    ) -> list[tuple[bytes, bytes]]:
        """Living rows of a prefix."""
        keys = sorted((k for k in self.rows if k.startswith(prefix) and (start is None or k >= start)), reverse=backwards)
        return [(key, self.rows[key][STAMP:]) for key in keys if len(self.rows[key]) > STAMP][:limit]

    def write(self, rows: Iterable[tuple[bytes, bytes]], persisted: int) -> None:
        """All at once."""
        self.rows.update(rows)
        self.persisted = persisted
