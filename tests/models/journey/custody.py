"""Who holds which identifier, as far as journeys hear of it: a plain stand-in for the clusters, with their versions.

A younger cluster that was absorbed does not know so at once: until the elder's answer reaches it, its journey still gets
events. That is the window in which stragglers are made.

An erased identifier may be born again, and join the person from which it once parted while that one's journey still gives
the events of its former life away.
"""

from dataclasses import dataclass, field
from random import Random

from models.ids import IdentifierKey, UnifiedUserId
from models.journey_messages import JourneyClosed, JourneyErased, JourneySplit


@dataclass
class Cluster:
    """One uid, its members by custody version, what it absorbed, and from where its fragments came."""

    uid: UnifiedUserId
    members: dict[IdentifierKey, int]
    absorbed: set[UnifiedUserId] = field(default_factory=set)
    origins: dict[UnifiedUserId, UnifiedUserId] = field(default_factory=dict)
    not_before: dict[IdentifierKey, int] = field(default_factory=dict)
    state: str = "live"
    closing: JourneyClosed | None = None


class Custody:
    """All clusters. Each change gives the message for the journey."""

    def __init__(self, random: Random, keys: int) -> None:
        self._random = random
        self._births = 0
        self.clusters: dict[UnifiedUserId, Cluster] = {}
        self.holders: dict[IdentifierKey, UnifiedUserId] = {}
        self.erased: dict[IdentifierKey, tuple[int, int]] = {}
        """Identifiers that nobody has any more: with the version of their last custody, and when that ended."""
        self.lives: dict[IdentifierKey, int] = {}
        """With which custody an identifier that had been erased was born again."""
        for number in range(keys):
            self._born({IdentifierKey(f"k{number}"): 0})

    def live(self) -> list[Cluster]:
        """The persons there are."""
        return [cluster for cluster in self.clusters.values() if cluster.state == "live"]

    def receiver(self, key: IdentifierKey) -> UnifiedUserId:
        """The cluster that an event of this anchor reaches: the holder, or one that does not know yet that it is not."""
        life = self.lives.get(key, 0)
        late = [c.uid for c in self.clusters.values() if c.closing and c.members.get(key, -1) >= life]
        return self._random.choice([self.holders[key], *late])

    def until(self, key: IdentifierKey) -> int:
        """Until when an erasure covers the events of an identifier; -1 = there was none."""
        return self.clusters[self.holders[key]].not_before.get(key, -1)

    def merge(self) -> None:
        """Two persons turn out to be one: the elder takes all, at once; the younger hears of it later."""
        elder, younger = sorted(self._random.sample(self.live(), 2), key=lambda cluster: cluster.uid)
        taken = {key: version + 1 for key, version in younger.members.items()}
        elder.members |= taken
        elder.absorbed |= {younger.uid, *younger.absorbed}
        elder.origins |= younger.origins
        elder.not_before |= younger.not_before
        younger.state, younger.closing = "absorbed", JourneyClosed(younger.uid, elder.uid, taken, dict(younger.not_before))
        self.holders |= dict.fromkeys(taken, elder.uid)

    def unanswered(self) -> list[Cluster]:
        """Absorbed clusters that do not know it yet."""
        return [cluster for cluster in self.clusters.values() if cluster.closing]

    def answer(self, cluster: Cluster) -> JourneyClosed:
        """The absorbed cluster hears of it."""
        closed, cluster.closing = cluster.closing, None
        assert closed is not None
        return closed

    def split(self, cluster: Cluster) -> JourneySplit:
        """Some members leave for a person of their own."""
        members = sorted(cluster.members)
        leaving = self._random.sample(members, self._random.randint(1, len(members) - 1))
        versions = {key: cluster.members.pop(key) + 1 for key in leaving}
        fragment = self._born(versions)
        self.clusters[fragment].origins[fragment] = cluster.uid
        reborn = {key: cluster.not_before.pop(key) for key in leaving if key in cluster.not_before}
        self.clusters[fragment].not_before = reborn
        return JourneySplit(cluster.uid, fragment, versions, reborn)

    def erase(self, cluster: Cluster, at: int) -> JourneyErased:
        """The person is gone with all that it was known by."""
        cluster.state = "erased"
        for key, version in cluster.members.items():
            del self.holders[key]
            self.erased[key] = version, at
        return JourneyErased(cluster.uid, at)

    def rise(self) -> None:
        """An identifier that was erased is seen again: somebody new has it."""
        key = self._random.choice(sorted(self.erased))
        version, at = self.erased.pop(key)
        self.lives[key] = version + 1
        self._born({key: version + 1}, {key: at})

    def _born(self, members: dict[IdentifierKey, int], not_before: dict[IdentifierKey, int] | None = None) -> UnifiedUserId:
        uid = UnifiedUserId(f"u{self._births:03d}")
        self._births += 1
        self.clusters[uid] = Cluster(uid, dict(members), not_before=not_before or {})
        self.holders |= dict.fromkeys(members, uid)
        return uid
