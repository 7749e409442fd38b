"""The parts that the model of the runtime is made of: rules, faults, partitions with two disks, and a batch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Stamp = tuple[int, ...]
Stamped = tuple[Stamp, Any]
Sequence = tuple[int, int]

CURSOR = "z|"
CRASHES_MAX = 400
DUPLICATES_MAX = 400
"""Faults end at some time, or a run would not: a duplicate of what is forwarded may itself be forwarded twice."""


@dataclass(frozen=True)
class Rules:
    """What the runtime does against faults; a test removes one (False) to see that it is needed."""

    cursor: bool = True
    stamps: bool = True
    monotone: bool = True
    fence: bool = True
    owner_minds_gap: bool = True
    reappend: bool = True
    reappend_fenced: bool = True
    probe: bool = True
    outputs_first: bool = True
    changelog_first: bool = True
    nodes_last: bool = True
    cursor_last: bool = True
    local_atomic: bool = True
    offset_last: bool = True
    no_holes: bool = True
    one_inbox: bool = True


@dataclass(frozen=True)
class Faults:
    """How often things go wrong, as probabilities per batch or message."""

    crash: float = 0.02
    duplicate: float = 0.05
    stall: float = 0.0
    other_worker: float = 0.5
    lost_disk: float = 0.3
    compact: float = 0.05
    torn: bool = False
    commit: float = 0.1
    batch_max: int = 6


class Reaction(NamedTuple):
    """What a stage does with one message: rows by key, messages, records."""

    rows: dict[str, Any]
    sends: list[Any]
    records: list[Any]


class Stage(NamedTuple):
    """A stage as the runtime sees it: how a message names its row and its partition, and what comes of it."""

    address: Callable[[Any], str]
    place: Callable[[Any, int], int]
    react: Callable[[Any, Callable[[str], Any]], Reaction]


class Entry(NamedTuple):
    """One changelog record."""

    offset: int
    key: str
    row: Stamped


@dataclass
class Disk:
    """What a worker has locally of a partition."""

    rows: dict[str, Stamped] = field(default_factory=dict)
    persisted: int = 0

    def write(self, rows: list[tuple[str, Stamped]], persisted: int) -> None:
        """Rows, cursor and the changelog offset they go up to, all at once."""
        self.rows.update(rows)
        self.persisted = persisted


class Source(NamedTuple):
    """Who numbers messages: a partition, or the outside."""

    name: str
    number: int


OUTSIDE = Source("outside", 0)


class Delivery(NamedTuple):
    """A message on its way to a partition, with its source's sequence number."""

    target: int
    source: Source
    sequence: Sequence
    message: Any


@dataclass(frozen=True)
class Rest:
    """What was left to do of a batch."""

    outputs: dict[int, list[Delivery]] = field(default_factory=dict)
    records: list[Any] = field(default_factory=list)
    rows: list[tuple[str, Stamped]] = field(default_factory=list)


@dataclass
class Stalled:
    """A worker that stopped in the middle of a batch and may wake."""

    partition: "Partition"
    worker: int
    rest: Rest
    expected: int


class Partition:
    """One partition of the stage: its inbox, its changelog, two disks, one owner."""

    def __init__(self, index: int, inboxes: int) -> None:
        self.index = index
        self.inboxes: list[list[tuple[Source, Sequence, Any]]] = [[] for _ in range(inboxes)]
        self.positions = [0] * inboxes
        self.committed = [0] * inboxes
        self.disks = [Disk(), Disk()]
        self.owner = 0
        self.changelog: list[Entry] = []
        self.end = 0
        self.expected = 0
        self.stalled: Stalled | None = None

    @property
    def disk(self) -> Disk:
        """The owner's."""
        return self.disks[self.owner]

    def waiting(self) -> list[int]:
        """Inboxes with something unread."""
        return [i for i, inbox in enumerate(self.inboxes) if self.positions[i] < len(inbox)]

    def append(self, rows: list[tuple[str, Stamped]]) -> int:
        """Append to the changelog; the base offset."""
        base = self.end
        self.changelog.extend(Entry(base + i, key, row) for i, (key, row) in enumerate(rows))
        self.end += len(rows)
        return base

    def fold(self, disk: Disk, monotone: bool) -> set[str]:
        """The changelog onto a disk, never backwards; the keys whose last record was an older one."""
        stale: set[str] = set()
        for offset, key, row in self.changelog:
            if offset < disk.persisted:
                continue
            held = disk.rows.get(key)
            if held is not None and row[0] < held[0] and monotone:
                stale.add(key)
            else:
                disk.rows[key] = row
                stale.discard(key)
        return stale

    def drop_overwritten(self, end: int) -> None:
        """Compaction: up to `end` only the last record of each key stays."""
        last = {entry.key: entry.offset for entry in self.changelog if entry.offset < end}
        self.changelog = [e for e in self.changelog if e.offset >= end or last[e.key] == e.offset]

    def restored(self, worker: int | None, monotone: bool) -> dict[str, Any]:
        """What a worker with its own disk, or (None) an empty one, would hold after taking over."""
        disk = Disk() if worker is None else Disk(dict(self.disks[worker].rows), self.disks[worker].persisted)
        self.fold(disk, monotone)
        return {key: row for key, (_, row) in disk.rows.items() if key != CURSOR}


class Batch:
    """What a batch reads, over what it wrote, and what comes of it."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.rows = partition.disk.rows
        held = self.rows.get(CURSOR)
        self.seen: dict[Source, Sequence] = dict(held[1]) if held else {}
        self.changed: dict[str, Stamped] = {}
        self.outputs: dict[int, list[Delivery]] = {}
        self.records: list[Any] = []
        self.last: Stamp | None = None
        self.start = tuple([-1] * len(partition.inboxes))

    def held(self, key: str) -> Stamped | None:
        """A row with its stamp."""
        return self.changed.get(key) or self.rows.get(key)

    def read(self, key: str) -> Any:
        """A row."""
        held = self.held(key)
        return held[1] if held else None

    def write(self, key: str, row: Any, inbox: int, offset: int) -> None:
        """A row changed by the message at `offset`."""
        held = self.held(key)
        stamp = held[0] if held else self.start
        self.changed[key] = ((*stamp[:inbox], offset, *stamp[inbox + 1 :]), row)

    def to_append(self, rules: Rules) -> list[tuple[str, Stamped]]:
        """Journeys, then clusters, then nodes, then the cursor: what points, or tells, comes after what it points to, or told."""
        keys = sorted(self.changed, key=lambda key: (not key.startswith("j|"), key.startswith("n|") is rules.nodes_last))
        rows = [(key, self.changed[key]) for key in keys]
        if rules.cursor:
            assert self.last is not None
            rows.insert(len(rows) if rules.cursor_last else 0, (CURSOR, (self.last, self.seen)))
        return rows
