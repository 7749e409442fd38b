"""A model of the runtime: partitions with one inbox each, two workers with a disk each, and everything that may go wrong.

A batch has four effects, in this order: outputs acknowledged, changed rows and cursor appended to the changelog and
acknowledged, the same on the local disk, finished. A crash may come between any two, and inside the first (of what was
sent to each destination a prefix arrives) and the second (a torn append). Then the same or the other worker recovers from
its own disk and the changelog, and repeats what was not finished. A stalled worker may wake after another took over, and
finish its batch. `Rules` are what the runtime does against all this; a test removes one to see that it is needed.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Stamp = tuple[int, ...]
Stamped = tuple[Stamp, Any]
Target = tuple[str, int]
Sequence = tuple[int, int]

CURSOR = "z|"


@dataclass(frozen=True)
class Rules:
    """What the runtime promises; False removes a promise."""

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
    """What a stage does with one message: rows by key, messages to (stage, message), records."""

    rows: dict[str, Any]
    sends: list[tuple[str, Any]]
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


class Delivery(NamedTuple):
    """A message on its way, with its source's sequence number."""

    target: Target
    source: Target
    sequence: Sequence
    message: Any


@dataclass
class Stalled:
    """A worker that stopped in the middle of a batch and may wake."""

    partition: "Partition"
    worker: int
    outputs: dict[Target, list[Delivery]]
    records: list[Any]
    rows: list[tuple[str, Stamped]]
    expected: int


class Partition:
    """One partition of a stage: its inbox, its changelog, two disks, one owner."""

    def __init__(self, stage: str, index: int, inboxes: int) -> None:
        self.name: Target = (stage, index)
        self.inboxes: list[list[tuple[Target, Sequence, Any]]] = [[] for _ in range(inboxes)]
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


class Batch:
    """What a batch reads, over what it wrote, and what comes of it."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.rows = partition.disk.rows
        held = self.rows.get(CURSOR)
        self.seen: dict[Target, Sequence] = dict(held[1]) if held else {}
        self.changed: dict[str, Stamped] = {}
        self.outputs: dict[Target, list[Delivery]] = {}
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

    def write(self, key: str, row: Any, inbox: int, offset: int | None) -> None:
        """A changed row; the stamp moves when the row was addressed by the message at `offset`."""
        held = self.held(key)
        stamp = held[0] if held else self.start
        if offset is not None:
            stamp = (*stamp[:inbox], offset, *stamp[inbox + 1 :])
        self.changed[key] = (stamp, row)

    def to_append(self, rules: Rules) -> list[tuple[str, Stamped]]:
        """Cluster rows, then node rows, then the cursor: what points comes after what it points to."""
        keys = sorted(self.changed, key=lambda key: key.startswith("n|") is rules.nodes_last)
        rows = [(key, self.changed[key]) for key in keys]
        if rules.cursor:
            assert self.last is not None
            rows.insert(len(rows) if rules.cursor_last else 0, (CURSOR, (self.last, self.seen)))
        return rows


class Crashed(Exception):
    """The process of a partition ended before its batch was finished."""


@dataclass
class Runtime:
    """All partitions of all stages, and the world's malice."""

    rng: random.Random
    stages: dict[str, Stage]
    partitions_per_stage: int
    rules: Rules = field(default_factory=Rules)
    faults: Faults = field(default_factory=Faults)
    records: list[Any] = field(default_factory=list)
    stats: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        inboxes = 1 if self.rules.one_inbox else 2
        count = self.partitions_per_stage
        self.partitions = {(name, i): Partition(name, i, inboxes) for name in self.stages for i in range(count)}
        self.duplicates: list[Delivery] = []
        self.stalled: list[Stalled] = []
        self.breaking = True
        self._outside = 0

    def inject(self, stage: str, message: Any) -> None:
        """A message from outside; each copy of it has a sequence number of its own."""
        self._deliver(self._from_outside(stage, message), may_repeat=True)

    def run(self, injected: list[tuple[str, Any]], steps_max: int = 20_000) -> None:
        """Delivers everything in some order until all is at rest; RuntimeError when it never is."""
        left = injected[::-1]
        for _ in range(steps_max):
            if not self._step(left):
                return self._settle()
        raise RuntimeError("no rest")

    def restored(self, partition: Partition, worker: int | None) -> dict[str, Any]:
        """What a worker with its own disk, or (None) an empty one, would hold after taking over."""
        disk = Disk() if worker is None else Disk(dict(partition.disks[worker].rows), partition.disks[worker].persisted)
        self._fold(partition, disk)
        return {key: row for key, (_, row) in disk.rows.items() if key != CURSOR}

    def rows(self, stage: str) -> dict[str, Any]:
        """All rows of a stage, as their owners hold them."""
        mine = (p for name, p in self.partitions.items() if name[0] == stage)
        return {key: row for p in mine for key, (_, row) in p.disk.rows.items() if key != CURSOR}

    # What happens next.

    def _step(self, left: list[tuple[str, Any]]) -> bool:
        rng = self.rng
        if left and rng.random() < 0.5:
            self.inject(*left.pop())
            return True
        busy = [p for p in self.partitions.values() if p.waiting()]
        idle = not busy and not left
        if self.duplicates and (idle or rng.random() < 0.05):
            self._deliver(self.duplicates.pop(rng.randrange(len(self.duplicates))), may_repeat=False)
        elif self.stalled and (idle or rng.random() < 0.05):
            self._wake(self.stalled.pop(rng.randrange(len(self.stalled))))
        elif busy:
            self._batch(rng.choice(busy))
        elif not left:
            return self._disturb()
        return True

    def _disturb(self) -> bool:
        """At rest, a worker may still crash, or a changelog be compacted."""
        rng = self.rng
        if not (self.breaking and self.faults.crash and rng.random() < 0.6):
            return False
        partition = rng.choice(list(self.partitions.values()))
        if self.faults.compact and rng.random() < 0.5:
            self._compact(partition)
        else:
            self._recover_somewhere(partition)
        return True

    def _settle(self) -> None:
        self.breaking = False
        for partition in self.partitions.values():
            partition.committed = list(partition.positions)
            if self.faults.compact:
                self._compact(partition)

    # Delivery.

    def _from_outside(self, stage: str, message: Any) -> Delivery:
        self._outside += 1
        target = (stage, self.stages[stage].place(message, self.partitions_per_stage))
        return Delivery(target, ("outside", 0), (self._outside, 0), message)

    def _deliver(self, delivery: Delivery, may_repeat: bool) -> None:
        partition = self.partitions[delivery.target]
        outside = delivery.source[0] == "outside"
        if outside and not may_repeat:
            delivery = self._from_outside(delivery.target[0], delivery.message)
        inbox = 0 if outside or self.rules.one_inbox else 1
        partition.inboxes[inbox].append((delivery.source, delivery.sequence, delivery.message))
        self.stats["messages"] += 1
        if may_repeat and self.faults.duplicate and self.rng.random() < self.faults.duplicate:
            self.duplicates.append(delivery)

    def _publish(self, outputs: dict[Target, list[Delivery]], records: list[Any], whole: bool) -> None:
        """Outputs arrive; or, of what goes to each destination, only a prefix (without the rule: any part)."""
        for queue in (*outputs.values(), records):
            count = len(queue) if whole else self.rng.randint(0, len(queue))
            arrived = queue[:count]
            if not whole and not self.rules.no_holes:
                arrived = [one for one in queue if self.rng.random() < 0.5]
            for one in arrived:
                if queue is records:
                    self.records.append(one)
                else:
                    self._deliver(one, may_repeat=True)

    # One batch.

    def _batch(self, partition: Partition) -> None:
        if self.faults.compact and self.rng.random() < self.faults.compact:
            self._compact(partition)
        batch = Batch(partition)
        for _ in range(self.rng.randint(1, self.faults.batch_max)):
            waiting = partition.waiting()
            if not waiting:
                break
            self._handle(batch, waiting[0] if len(waiting) == 1 else self.rng.choice(waiting))
        if batch.last is None:
            return
        try:
            self._effects(batch)
        except Crashed:
            self.stats["crashes"] += 1
            self.breaking = self.stats["crashes"] < 400
            if partition.stalled is None or partition.stalled.worker != partition.owner:
                self._recover_somewhere(partition)
            else:
                self._recover(partition, 1 - partition.owner)

    def _handle(self, batch: Batch, inbox: int) -> None:
        partition, rules = batch.partition, self.rules
        stage = self.stages[partition.name[0]]
        offset = partition.positions[inbox]
        source, sequence, message = partition.inboxes[inbox][offset]
        partition.positions[inbox] += 1
        batch.last = tuple(position - 1 for position in partition.positions)
        if rules.cursor:
            if batch.seen.get(source, (-1, -1)) >= sequence:
                return
            batch.seen[source] = sequence
        address = stage.address(message)
        held = batch.held(address)
        if rules.stamps and held is not None and held[0][inbox] >= offset:
            return
        reaction = stage.react(message, batch.read)
        for key, row in reaction.rows.items():
            batch.write(key, row, inbox, offset if key == address else None)
        batch.records.extend(reaction.records)
        self._address(batch, inbox, offset, reaction.sends)

    def _address(self, batch: Batch, inbox: int, offset: int, sends: list[tuple[str, Any]]) -> None:
        """Sequence numbers rise from this partition to each destination: (inbox offset, index among its outputs)."""
        source = batch.partition.name if inbox == 0 else (f"{batch.partition.name[0]}+", batch.partition.name[1])
        counts: Counter[Target] = Counter()
        for stage, message in sends:
            target = (stage, self.stages[stage].place(message, self.partitions_per_stage))
            queue = batch.outputs.setdefault(target, [])
            queue.append(Delivery(target, source, (offset, counts[target]), message))
            counts[target] += 1

    def _effects(self, batch: Batch) -> None:
        partition, rules = batch.partition, self.rules
        rows = batch.to_append(rules)
        if rules.outputs_first:
            self._publish_or_crash(batch, rows)
        if not rules.changelog_first:
            partition.disk.rows.update(rows)
            self._maybe_crash()
        if self.faults.torn and len(rows) > 1 and self._strikes(1.0):
            partition.append(rows[: self.rng.randint(1, len(rows) - 1)])
            self.stats["torn"] += 1
            raise Crashed
        base = partition.append(rows)
        self._maybe_crash()
        if base != partition.expected and rules.fence and rules.owner_minds_gap:
            self.stats["fenced"] += 1
            raise Crashed
        self._write(partition.disk, rows, base + len(rows))
        partition.expected = base + len(rows)
        if not rules.outputs_first:
            self._publish_or_crash(batch, [])
        if self.rng.random() < self.faults.commit:
            partition.committed = list(partition.positions)
        self._maybe_stall(batch, {}, [], [])
        self._maybe_crash(1.0)

    def _publish_or_crash(self, batch: Batch, rows: list[tuple[str, Stamped]]) -> None:
        if batch.outputs and self._strikes():
            self._publish(batch.outputs, batch.records, whole=False)
            self._stall(batch, batch.outputs, batch.records, rows)
            raise Crashed
        self._publish(batch.outputs, batch.records, whole=True)
        self._maybe_stall(batch, {}, [], rows)
        self._maybe_crash()

    def _write(self, disk: Disk, rows: list[tuple[str, Stamped]], persisted: int) -> None:
        """Rows, cursor and offset on the local disk, all at once unless a rule was removed."""
        if self.rules.local_atomic:
            disk.rows.update(rows)
            disk.persisted = persisted
            return
        if not self.rules.offset_last:
            disk.persisted = persisted
        shuffled = self.rng.sample(rows, len(rows))
        crash = self._strikes(1.0)
        disk.rows.update(shuffled[: self.rng.randint(0, len(rows)) if crash else len(rows)])
        if crash:
            raise Crashed
        disk.persisted = persisted

    def _strikes(self, share: float = 0.5) -> bool:
        return self.breaking and self.rng.random() < self.faults.crash * share

    def _maybe_crash(self, share: float = 0.5) -> None:
        if self._strikes(share):
            raise Crashed

    # Stalled workers.

    def _maybe_stall(
        self, batch: Batch, outputs: dict[Target, list[Delivery]], records: list[Any], rows: list[tuple[str, Stamped]]
    ) -> None:
        if self._strikes() and self._stall(batch, outputs, records, rows):
            raise Crashed

    def _stall(
        self, batch: Batch, outputs: dict[Target, list[Delivery]], records: list[Any], rows: list[tuple[str, Stamped]]
    ) -> bool:
        partition = batch.partition
        if partition.stalled is not None or self.rng.random() >= self.faults.stall:
            return False
        self.stats["stalled"] += 1
        partition.stalled = Stalled(partition, partition.owner, outputs, records, rows, partition.expected)
        self.stalled.append(partition.stalled)
        return True

    def _wake(self, stalled: Stalled) -> None:
        """A worker finishes a batch that another has taken over, unless it was restarted meanwhile."""
        partition = stalled.partition
        if partition.stalled is not stalled:
            if self.rng.random() < 0.5:
                self._publish(stalled.outputs, stalled.records, whole=False)
            return
        partition.stalled = None
        self._publish(stalled.outputs, stalled.records, whole=True)
        if not stalled.rows:
            return
        base = partition.append(stalled.rows)
        if base == stalled.expected or not self.rules.fence:
            disk = partition.disks[stalled.worker]
            disk.rows.update(stalled.rows)
            disk.persisted = base + len(stalled.rows)
        else:
            self.stats["fenced"] += 1

    # Recovery and compaction.

    def _recover_somewhere(self, partition: Partition) -> None:
        worker = partition.owner
        if self.rng.random() < self.faults.other_worker:
            worker = 1 - worker
        self._recover(partition, worker)

    def _recover(self, partition: Partition, worker: int) -> None:
        if self.rng.random() < self.faults.lost_disk:
            partition.disks[worker] = Disk()
        partition.owner = worker
        disk = partition.disk
        if partition.stalled is not None and partition.stalled.worker == worker:
            partition.stalled = None
        end = self._caught_up(partition, disk)
        partition.expected = disk.persisted = end
        partition.positions = list(partition.committed)

    def _caught_up(self, partition: Partition, disk: Disk) -> int:
        """Folds the changelog, and appends again what a stale writer put back; under the fence, so perhaps repeatedly."""
        while True:
            stale = sorted(self._fold(partition, disk))
            end = partition.end
            if partition.stalled is not None and self.rng.random() < 0.3:
                self.stalled.remove(partition.stalled)
                self._wake(partition.stalled)
            if not stale or not self.rules.reappend:
                return end
            base = partition.append([(key, disk.rows[key]) for key in stale])
            self.stats["reappended"] += len(stale)
            if base == end or not self.rules.reappend_fenced:
                return end + len(stale)

    def _fold(self, partition: Partition, disk: Disk) -> set[str]:
        """The changelog onto a disk, never backwards; the keys whose last record was an older one."""
        stale: set[str] = set()
        for offset, key, row in partition.changelog:
            if offset < disk.persisted:
                continue
            held = disk.rows.get(key)
            if held is not None and row[0] < held[0] and self.rules.monotone:
                stale.add(key)
            else:
                disk.rows[key] = row
                stale.discard(key)
        return stale

    def _compact(self, partition: Partition) -> None:
        """Of a closed prefix only the last record of each key stays. The owner looks more often than that."""
        rules = self.rules
        if partition.expected != partition.end and rules.probe and rules.fence and rules.owner_minds_gap:
            self._recover(partition, partition.owner)
        cut = partition.end if self.rng.random() < 0.5 else self.rng.randint(0, partition.end)
        last = {entry.key: entry.offset for entry in partition.changelog if entry.offset < cut}
        partition.changelog = [e for e in partition.changelog if e.offset >= cut or last[e.key] == e.offset]
