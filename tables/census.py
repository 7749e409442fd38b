"""Clusters as a whole: how many are frozen, since when, what waits in them, and how large they are.

Counted when a partition goes live, followed from then on; nothing of it is stored.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from app.runtime.rows import Partition
from app.runtime.tally import chunks
from models.identity.rows import Cluster, Row
from models.ids import UnifiedUserId
from tables.identity import CLUSTERS, codec


class Frozen(NamedTuple):
    """A cluster that waits for an answer: since the log time of the event behind it (UTC ms), with messages that wait too."""

    since: int
    pending: int


class Census:
    """Follows the clusters of the live partitions."""

    def __init__(self) -> None:
        self._frozen: dict[int, dict[UnifiedUserId, Frozen]] = {}
        self._sizes: dict[int, Counter[int]] = {}

    async def begin(self, number: int, partition: Partition) -> None:
        """Counts a partition whose rows nobody changes meanwhile."""
        self._frozen[number], self._sizes[number] = {}, Counter()
        async for rows in chunks(partition, CLUSTERS):
            self.count(number, ((key, None, codec.decode(key, body)) for key, body in rows))

    def count(self, number: int, replaced: Iterable[tuple[bytes, Row | None, Row | None]]) -> None:
        """Follows a batch: (key, row before, row after)."""
        frozen, sizes = self._frozen.setdefault(number, {}), self._sizes.setdefault(number, Counter())
        for key, before, after in replaced:
            if key.startswith(CLUSTERS):
                sizes[_size(before)] -= 1
                sizes[_size(after)] += 1
                self._follow(frozen, UnifiedUserId(key[len(CLUSTERS) :].decode()), after)

    def frozen(self, partitions: Iterable[int]) -> list[Frozen]:
        """The frozen clusters of some partitions."""
        return [cluster for number in partitions for cluster in self._frozen.get(number, {}).values()]

    def waiting(self, partitions: Iterable[int]) -> list[tuple[UnifiedUserId, Frozen]]:
        """The same with their uids, in order of time."""
        found = (item for number in partitions for item in self._frozen.get(number, {}).items())
        return sorted(found, key=lambda item: item[1])

    def sizes(self, partitions: Iterable[int]) -> Counter[int]:
        """Living clusters of some partitions by the number of their identifiers."""
        total: Counter[int] = Counter()
        for number in partitions:
            total.update(self._sizes.get(number, Counter()))
        return Counter({size: count for size, count in total.items() if size and count})

    def _follow(self, frozen: dict[UnifiedUserId, Frozen], uid: UnifiedUserId, row: Row | None) -> None:
        if isinstance(row, Cluster) and row.state == "frozen" and row.proposal is not None:
            frozen[uid] = Frozen(row.proposal.bond.evidence.received_at, len(row.pending))
        else:
            frozen.pop(uid, None)


def _size(row: Row | None) -> int:
    return len(row.content.members) if isinstance(row, Cluster) else 0
