"""Who holds which identifier, as far as journeys hear of it: a plain stand-in for the clusters, with their versions.

A younger cluster that was absorbed does not know so at once: until the elder's answer reaches it, its journey still gets
events. That is the window in which stragglers are made.

An erased identifier never comes back here. In the product it may: born again it can join the person from which it once
parted, and that person's journey still sends its events after the erased one, until the hand-over tells it better. Events
say nothing of the custody version that they were placed under, so the journey has no means to know.
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
    state: str = "live"
    closing: JourneyClosed | None = None


class Custody:
    """All clusters. Each change gives the message for the journey."""

    def __init__(self, random: Random, keys: int) -> None:
        self._random = random
        self._births = 0
        self.clusters: dict[UnifiedUserId, Cluster] = {}
        self.holders: dict[IdentifierKey, UnifiedUserId] = {}
        for number in range(keys):
            self._born({IdentifierKey(f"k{number}"): 0})

    def live(self) -> list[Cluster]:
        """The persons there are."""
        return [cluster for cluster in self.clusters.values() if cluster.state == "live"]

    def receiver(self, key: IdentifierKey) -> UnifiedUserId:
        """The cluster that an event of this anchor reaches: the holder, or one that does not know yet that it is not."""
        late = [c.uid for c in self.clusters.values() if c.state == "absorbed" and c.closing and key in c.members]
        return self._random.choice([self.holders[key], *late])

    def merge(self) -> None:
        """Two persons turn out to be one: the elder takes all, at once; the younger hears of it later."""
        elder, younger = sorted(self._random.sample(self.live(), 2), key=lambda cluster: cluster.uid)
        taken = {key: version + 1 for key, version in younger.members.items()}
        elder.members |= taken
        elder.absorbed |= {younger.uid, *younger.absorbed}
        elder.origins |= younger.origins
        younger.state, younger.closing = "absorbed", JourneyClosed(younger.uid, elder.uid, taken)
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
        return JourneySplit(cluster.uid, fragment, versions)

    def erase(self, cluster: Cluster) -> JourneyErased:
        """The person is gone with all that it was known by."""
        cluster.state = "erased"
        for key in cluster.members:
            del self.holders[key]
        return JourneyErased(cluster.uid, 0)

    def _born(self, members: dict[IdentifierKey, int]) -> UnifiedUserId:
        uid = UnifiedUserId(f"u{self._births:03d}")
        self._births += 1
        self.clusters[uid] = Cluster(uid, dict(members))
        self.holders |= dict.fromkeys(members, uid)
        return uid
