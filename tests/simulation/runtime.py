"""A model of the runtime: partitions with one inbox each, two workers with a disk each, and everything that may go wrong.

A batch has four effects, in this order: outputs acknowledged, changed rows and cursor appended to the changelog and
acknowledged, the same on the local disk, finished. A crash may come between any two, and inside the first (of what was
sent to each destination a prefix arrives) and the second (a torn append). Then the same or the other worker recovers from
its own disk and the changelog, and repeats what was not finished. A stalled worker may wake after another took over, and
finish its batch.
"""

import random
from typing import Any

from tests.simulation.network import FEW, STRICT, Network
from tests.simulation.partition import (
    CRASHES_MAX,
    CURSOR,
    Batch,
    Disk,
    Faults,
    Partition,
    Rest,
    Rules,
    Stage,
    Stalled,
    Stamped,
)


class Crashed(Exception):
    """The process of a partition ended before its batch was finished."""


class Runtime(Network):
    """All partitions of the stage, and the world's malice."""

    def __init__(self, rng: random.Random, stage: Stage, count: int, rules: Rules = STRICT, faults: Faults = FEW) -> None:
        super().__init__(rng, stage, count, rules, faults)
        self.stalled: list[Stalled] = []
        self.breaking = True

    def run(self, injected: list[Any], steps_max: int = 20_000) -> None:
        """Delivers everything in some order until all is at rest; RuntimeError when it never is."""
        left = injected[::-1]
        for _ in range(steps_max):
            if not self._step(left):
                return self._settle()
        raise RuntimeError("no rest")

    def rows(self) -> dict[str, Any]:
        """All rows, as their owners hold them."""
        return {key: row for p in self.partitions for key, (_, row) in p.disk.rows.items() if key != CURSOR}

    # What happens next.

    def _step(self, left: list[Any]) -> bool:
        rng = self.rng
        if left and rng.random() < 0.5:
            self.inject(left.pop())
            return True
        busy = [p for p in self.partitions if p.waiting()]
        idle = not busy and not left
        if self.duplicates and (idle or rng.random() < 0.05):
            self.deliver(self.duplicates.pop(rng.randrange(len(self.duplicates))), may_repeat=False)
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
        partition = rng.choice(self.partitions)
        if self.faults.compact and rng.random() < 0.5:
            self._compact(partition)
        else:
            self._recover_somewhere(partition)
        return True

    def _settle(self) -> None:
        self.breaking = False
        for partition in self.partitions:
            partition.committed = list(partition.positions)
            if self.faults.compact:
                self._compact(partition)

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
            self.breaking = self.stats["crashes"] < CRASHES_MAX
            if partition.stalled is None or partition.stalled.worker != partition.owner:
                self._recover_somewhere(partition)
            else:
                self._recover(partition, 1 - partition.owner)

    def _handle(self, batch: Batch, inbox: int) -> None:
        partition, rules = batch.partition, self.rules
        offset = partition.positions[inbox]
        source, sequence, message = partition.inboxes[inbox][offset]
        partition.positions[inbox] += 1
        batch.last = tuple(position - 1 for position in partition.positions)
        if rules.cursor:
            if batch.seen.get(source, (-1, -1)) >= sequence:
                return
            batch.seen[source] = sequence
        address = self.stage.address(message)
        held = batch.held(address)
        if rules.stamps and held is not None and held[0][inbox] >= offset:
            return
        reaction = self.stage.react(message, batch.read)
        for key, row in reaction.rows.items():
            batch.write(key, row, inbox, offset)
        batch.records.extend(reaction.records)
        self.address(batch, inbox, offset, reaction.sends)

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
        self._maybe_stall(batch, Rest())
        self._maybe_crash(1.0)

    def _publish_or_crash(self, batch: Batch, rows: list[tuple[str, Stamped]]) -> None:
        if batch.outputs and self._strikes():
            self.publish(batch.outputs, batch.records, whole=False)
            self._stall(batch, Rest(batch.outputs, batch.records, rows))
            raise Crashed
        self.publish(batch.outputs, batch.records, whole=True)
        self._maybe_stall(batch, Rest(rows=rows))
        self._maybe_crash()

    def _write(self, disk: Disk, rows: list[tuple[str, Stamped]], persisted: int) -> None:
        """Rows, cursor and offset on the local disk, all at once unless a rule was removed."""
        if self.rules.local_atomic:
            return disk.write(rows, persisted)
        if not self.rules.offset_last:
            disk.persisted = persisted
        shuffled = self.rng.sample(rows, len(rows))
        crash = self._strikes(1.0)
        disk.rows.update(shuffled[: self.rng.randint(0, len(rows)) if crash else len(rows)])
        if crash:
            raise Crashed
        return disk.write(rows, persisted)

    def _strikes(self, share: float = 0.5) -> bool:
        return self.breaking and self.rng.random() < self.faults.crash * share

    def _maybe_crash(self, share: float = 0.5) -> None:
        if self._strikes(share):
            raise Crashed

    # Stalled workers.

    def _maybe_stall(self, batch: Batch, rest: Rest) -> None:
        if self._strikes() and self._stall(batch, rest):
            raise Crashed

    def _stall(self, batch: Batch, rest: Rest) -> bool:
        partition = batch.partition
        if partition.stalled is not None or self.rng.random() >= self.faults.stall:
            return False
        self.stats["stalled"] += 1
        partition.stalled = Stalled(partition, partition.owner, rest, partition.expected)
        self.stalled.append(partition.stalled)
        return True

    def _wake(self, stalled: Stalled) -> None:
        """A worker finishes a batch that another has taken over, unless it was restarted meanwhile."""
        partition, rest = stalled.partition, stalled.rest
        if partition.stalled is not stalled:
            if self.rng.random() < 0.5:
                self.publish(rest.outputs, rest.records, whole=False)
            return
        partition.stalled = None
        self.publish(rest.outputs, rest.records, whole=True)
        if not rest.rows:
            return
        base = partition.append(rest.rows)
        if base == stalled.expected or not self.rules.fence:
            partition.disks[stalled.worker].write(rest.rows, base + len(rest.rows))
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
            stale = sorted(partition.fold(disk, self.rules.monotone))
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

    def _compact(self, partition: Partition) -> None:
        """Of a closed prefix only the last record of each key stays. The owner looks more often than that."""
        rules = self.rules
        if partition.expected != partition.end and rules.probe and rules.fence and rules.owner_minds_gap:
            self._recover(partition, partition.owner)
        cut = partition.end if self.rng.random() < 0.5 else self.rng.randint(0, partition.end)
        partition.drop_overwritten(cut)
