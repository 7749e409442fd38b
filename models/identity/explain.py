"""Why two identifiers are one person, and whose an identifier was: questions to rows, changing nothing.

Paths are those of `paths`: neighbours in order of `namespace:value`, and the very path that an unlink would cut first.
"""

from itertools import pairwise

import msgspec

from models.identity.paths import distances, neighbours, shortest_path
from models.identity.rows import Cluster, Node
from models.identity.values import Assignment, Evidence, Member, Pair, Refusal, pair
from models.ids import IdentifierKey, UnifiedUserId


class Step(msgspec.Struct, frozen=True):
    """One link on the way from one identifier to another. `bridge`: without it no path would join the two.

    `evidence` are its earliest events, `events` is how many distinct ones there were, as far as they are counted.
    """

    near: Member
    far: Member
    evidence: tuple[Evidence, ...]
    events: int
    bridge: bool


class Tenure(msgspec.Struct, frozen=True):
    """A time in which an identifier belonged to one uid; `until` None: it still does. Log times, UTC milliseconds."""

    assignment: Assignment
    until: int | None


def explain(cluster: Cluster, start: IdentifierKey, end: IdentifierKey) -> tuple[Step, ...] | None:
    """The links from start to end, in this order; None when the cluster does not hold both or no path joins them.

    Between an identifier and itself there is nothing to explain: an empty path.
    """
    content = cluster.content
    if start not in content.members or end not in content.members:
        return None
    path = shortest_path(content.links, content.members, start, end)
    if not path:
        return None
    steps = []
    for near, far in pairwise(path):
        link = pair(near, far)
        bridge = is_bridge(cluster, link, start, end)
        steps.append(
            Step(content.members[near], content.members[far], content.links[link].samples, content.links[link].events, bridge)
        )
    return tuple(steps)


def is_bridge(cluster: Cluster, link: Pair, start: IdentifierKey, end: IdentifierKey) -> bool:
    """Whether removing this link would part the two."""
    without = neighbours(other for other in cluster.content.links if other != link)
    return end not in distances(without, start)


def tenures(node: Node) -> tuple[Tenure, ...]:
    """Whose the identifier was, in order of time; what was before an erasure, or beyond the memory's bound, is not told."""
    ends: list[int | None] = [later.since for later in node.history[1:]]
    return tuple(Tenure(assignment, until) for assignment, until in zip(node.history, [*ends, None], strict=False))


def owner_at(node: Node, at: int) -> UnifiedUserId | None:
    """Whose the identifier was at a moment of log time; None when it was not known then."""
    owner = None
    for assignment in node.history:
        if assignment.since <= at:
            owner = assignment.uid
    return owner


def refusals_of(cluster: Cluster, key: IdentifierKey) -> tuple[tuple[IdentifierKey, Refusal], ...]:
    """The refused links of a member: the other identifier and why, in the order in which they were refused."""
    refused = cluster.content.refused.items()
    return tuple((both[1] if both[0] == key else both[0], refusal) for both, refusal in refused if key in both)
