"""What a request would do, told before it is made: by the same rules that will do it, on the person as it is now. Pure.

Nothing is promised: what arrives between the preview and the request is decided as it comes.
"""

from collections.abc import Iterable
from typing import NamedTuple

from models.identity.parting import cut, part
from models.identity.rows import Cluster
from models.identity.values import Member, Pair, Version, pair
from models.ids import IdentifierKey, UnifiedUserId

NOW = Version(0, "")
"""Stands for the request that is not made yet; it names nothing that is shown."""


class Parting(NamedTuple):
    """What an unlink would cut, and who would be where; `leaves` get a uid of their own."""

    cut: list[tuple[Member, Member]]
    stays: list[Member]
    leaves: list[Member]


class Erasing(NamedTuple):
    """What an erasure would cover."""

    identifiers: list[Member]
    uids: list[UnifiedUserId]
    """The person's and all that it absorbed."""


def parting(uid: UnifiedUserId, cluster: Cluster, a: IdentifierKey, b: IdentifierKey) -> Parting | None:
    """What becomes of two identifiers that are said to be two persons; None when the cluster does not hold both."""
    content = cluster.content
    if a == b or a not in content.members or b not in content.members:
        return None
    apart: Pair = pair(a, b)
    remaining, refused = cut(content, apart, NOW)
    halves = part(uid, remaining, apart, NOW)
    links = [(content.members[one], content.members[other]) for one, other in refused]
    return Parting(links, _named(halves.stays.members.values()), _named(halves.leaves.members.values()))


def erasing(uid: UnifiedUserId, cluster: Cluster) -> Erasing:
    """What would be forgotten."""
    content = cluster.content
    return Erasing(_named(content.members.values()), [uid, *sorted(content.absorbed)])


def _named(members: Iterable[Member]) -> list[Member]:
    return sorted(members, key=lambda member: member.name)
