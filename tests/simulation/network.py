"""How messages travel: each with its source's sequence number, to one partition; some a second time, at any later time."""

import random
from collections import Counter
from typing import Any

from tests.simulation.partition import DUPLICATES_MAX, OUTSIDE, Batch, Delivery, Faults, Partition, Rules, Source, Stage

STRICT, FEW = Rules(), Faults()


class Network:
    """The partitions of the stage, what is on the way between them, and the records for the outside."""

    def __init__(self, rng: random.Random, stage: Stage, count: int, rules: Rules, faults: Faults) -> None:
        self.rng, self.stage, self.count, self.rules, self.faults = rng, stage, count, rules, faults
        inboxes = 1 if rules.one_inbox else 2
        self.partitions = [Partition(i, inboxes) for i in range(count)]
        self.duplicates: list[Delivery] = []
        self.records: list[Any] = []
        self.stats: Counter[str] = Counter()
        self._outside = 0

    def inject(self, message: Any) -> None:
        """A message from outside; each copy of it has a sequence number of its own."""
        self.deliver(self._from_outside(message), may_repeat=True)

    def deliver(self, delivery: Delivery, may_repeat: bool) -> None:
        """Into the inbox, and perhaps once more later."""
        partition = self.partitions[delivery.target]
        outside = delivery.source == OUTSIDE
        if outside and not may_repeat:
            delivery = self._from_outside(delivery.message)
        inbox = 0 if outside or self.rules.one_inbox else 1
        partition.inboxes[inbox].append((delivery.source, delivery.sequence, delivery.message))
        self.stats["messages"] += 1
        few = self.stats["duplicates"] < DUPLICATES_MAX
        if may_repeat and few and self.faults.duplicate and self.rng.random() < self.faults.duplicate:
            self.stats["duplicates"] += 1
            self.duplicates.append(delivery)

    def publish(self, outputs: dict[int, list[Delivery]], records: list[Any], whole: bool) -> None:
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
                    self.deliver(one, may_repeat=True)

    def address(self, batch: Batch, inbox: int, offset: int, sends: list[Any]) -> None:
        """Sequence numbers rise from this partition to each destination: (inbox offset, index among its outputs)."""
        source = Source("people" if inbox == 0 else "people+", batch.partition.index)
        counts: Counter[int] = Counter()
        for message in sends:
            target = self.stage.place(message, self.count)
            queue = batch.outputs.setdefault(target, [])
            queue.append(Delivery(target, source, (offset, counts[target]), message))
            counts[target] += 1

    def _from_outside(self, message: Any) -> Delivery:
        self._outside += 1
        return Delivery(self.stage.place(message, self.count), OUTSIDE, (self._outside, 0), message)
