"""Clusters as a whole: how many are frozen, since when, what waits in them, and how large they are.

Counted when a partition goes live, followed from then on; nothing of it is stored. Who asks gets an answer without a look at
every frozen cluster: with two million newcomers in a backlog most of them are frozen for a while.
"""

from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple

from app.runtime.rows import Partition
from app.runtime.tally import chunks
from models.identity.rows import Cluster
from models.ids import UnifiedUserId
from models.people import Row
from tables.codec import codec
from tables.identity import CLUSTERS

SECOND_MS = 1_000


class Frozen(NamedTuple):
    """A cluster that waits for an answer: since the log time of the event behind it (UTC ms), with messages that wait too."""

    since: int
    pending: int


class Standstill(NamedTuple):
    """All frozen clusters of some partitions: since when the first of them waits (UTC ms), and the messages that wait in them."""

    clusters: int
    pending: int
    since: int | None


class Frozens:
    """The frozen clusters of a partition, by the second since which they wait, so that the oldest are at hand."""

    def __init__(self) -> None:
        self._by_second: dict[int, dict[UnifiedUserId, Frozen]] = {}
        self.clusters = 0
        self.pending = 0

    def add(self, uid: UnifiedUserId, one: Frozen) -> None:
        """It waits from now on."""
        self.remove(uid, one)
        self._by_second.setdefault(one.since // SECOND_MS, {})[uid] = one
        self.clusters += 1
        self.pending += one.pending

    def remove(self, uid: UnifiedUserId, one: Frozen) -> None:
        """It waits no more; one that did not wait since then changes nothing."""
        second = one.since // SECOND_MS
        waiting = self._by_second.get(second, {})
        known = waiting.pop(uid, None)
        if known is None:
            return
        if not waiting:
            del self._by_second[second]
        self.clusters -= 1
        self.pending -= known.pending

    def oldest(self, limit: int) -> list[tuple[UnifiedUserId, Frozen]]:
        """At most so many, in order of time."""
        found: list[tuple[UnifiedUserId, Frozen]] = []
        for second in sorted(self._by_second):
            found += nsmallest(limit - len(found), self._by_second[second].items(), key=_by_time)
            if len(found) == limit:
                break
        return found


class Census:
    """Follows the clusters of the live partitions."""

    def __init__(self) -> None:
        self._frozen: dict[int, Frozens] = {}
        self._sizes: dict[int, Counter[int]] = {}

    async def begin(self, number: int, partition: Partition) -> None:
        """Counts a partition whose rows nobody changes meanwhile."""
        self._frozen[number], self._sizes[number] = Frozens(), Counter()
        async for rows in chunks(partition, CLUSTERS):
            self.count(number, ((key, None, codec.decode(key, body)) for key, body in rows))

    def count(self, number: int, replaced: Iterable[tuple[bytes, Row | None, Row | None]]) -> None:
        """Follows a batch: (key, row before, row after)."""
        if number not in self._frozen:
            self._frozen[number], self._sizes[number] = Frozens(), Counter()
        frozen, sizes = self._frozen[number], self._sizes[number]
        for key, before, after in replaced:
            if key.startswith(CLUSTERS):
                sizes[_size(before)] -= 1
                sizes[_size(after)] += 1
                _follow(frozen, UnifiedUserId(key[len(CLUSTERS) :].decode()), _frozen(before), _frozen(after))

    def standstill(self, partitions: Iterable[int]) -> Standstill:
        """The frozen clusters of some partitions, in numbers."""
        held = [self._frozen[number] for number in partitions if number in self._frozen]
        since = min((one.since for frozen in held for _, one in frozen.oldest(1)), default=None)
        return Standstill(sum(one.clusters for one in held), sum(one.pending for one in held), since)

    def waiting(self, partitions: Iterable[int], limit: int) -> list[tuple[UnifiedUserId, Frozen]]:
        """At most so many of them, in order of time."""
        held = (self._frozen[number].oldest(limit) for number in partitions if number in self._frozen)
        return sorted(chain.from_iterable(held), key=_by_time)[:limit]

    def sizes(self, partitions: Iterable[int]) -> Counter[int]:
        """Living clusters of some partitions by the number of their identifiers."""
        total: Counter[int] = Counter()
        for number in partitions:
            total.update(self._sizes.get(number, Counter()))
        return Counter({size: count for size, count in total.items() if size and count})


def _follow(frozen: Frozens, uid: UnifiedUserId, before: Frozen | None, after: Frozen | None) -> None:
    if before == after:
        return
    if before is not None:
        frozen.remove(uid, before)
    if after is not None:
        frozen.add(uid, after)


def _frozen(row: Row | None) -> Frozen | None:
    if isinstance(row, Cluster) and row.state == "frozen" and row.proposal is not None:
        return Frozen(row.proposal.bond.evidence.received_at, len(row.pending))
    return None


def _by_time(item: tuple[UnifiedUserId, Frozen]) -> tuple[Frozen, UnifiedUserId]:
    return item[1], item[0]


def _size(row: Row | None) -> int:
    return len(row.content.members) if isinstance(row, Cluster) else 0
