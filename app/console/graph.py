"""The identifiers of one person as a drawing: where each stands, what joins them. Pure, and the same every time.

The identifier with most links is in the middle, the others on rings by how many links they are away from it, each in a sector
as wide as what hangs on it. That is linear in the links, so a person of a hundred identifiers costs a worker no time that
others wait for; links beside the tree are drawn as they come.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import dropwhile, islice, takewhile
from typing import NamedTuple

from models.identity.explain import is_bridge
from models.identity.paths import Neighbours, distances, neighbours
from models.identity.rows import Cluster
from models.identity.values import Member, Pair, Proof, pair
from models.ids import IdentifierKey

RING = 118.0
"""Between two rings, in the drawing's units."""
MARGIN = 96.0


class Spot(NamedTuple):
    """An identifier and where it stands; `degree`: how many links it has."""

    key: IdentifierKey
    member: Member
    x: float
    y: float
    degree: int


class Line(NamedTuple):
    """A link from spot to spot. `bridge`: without it they would be two persons."""

    near: Spot
    far: Spot
    proof: Proof
    bridge: bool


class Drawing(NamedTuple):
    """All of it, from 0, 0 to `width`, `height`."""

    spots: list[Spot]
    lines: list[Line]
    width: float
    height: float


def drawn(cluster: Cluster) -> Drawing:
    """The drawing of a cluster."""
    content = cluster.content
    near = neighbours(sorted(content.links, key=lambda link: sorted(content.members[key].name for key in link)))
    tree = list(_tree(near, content.members))
    places = dict(_places(tree))
    low_x, low_y = (min((place[axis] for place in places.values()), default=0.0) - MARGIN for axis in (0, 1))
    high_x, high_y = (max((place[axis] for place in places.values()), default=0.0) + MARGIN for axis in (0, 1))
    spots = {key: Spot(key, content.members[key], x - low_x, y - low_y, len(near.get(key, ()))) for key, (x, y) in places.items()}
    bridges = set(_bridges(cluster, tree))
    lines = [Line(spots[a], spots[b], proof, (a, b) in bridges) for (a, b), proof in content.links.items()]
    return Drawing(sorted(spots.values(), key=lambda spot: spot.member.name), lines, high_x - low_x, high_y - low_y)


class _Branch(NamedTuple):
    key: IdentifierKey
    above: IdentifierKey | None
    depth: int


class _Sector(NamedTuple):
    centre: float
    start: float
    width: float


def _tree(near: Neighbours, members: Mapping[IdentifierKey, Member]) -> Iterator[_Branch]:
    """Every identifier with the one nearer to the middle, from the middle outwards."""
    left = sorted(members, key=lambda key: (-len(near.get(key, ())), members[key].name))
    seen: set[IdentifierKey] = set()
    while left := [key for key in left if key not in seen]:
        middle, far = left[0], distances(near, left[0])
        yield _Branch(middle, None, 0)
        for key in sorted(far, key=lambda key: (far[key], members[key].name)):
            seen.add(key)
            if key != middle:
                above = min((n for n in near[key] if far[n] == far[key] - 1), key=lambda n: members[n].name)
                yield _Branch(key, above, far[key])


def _places(tree: Sequence[_Branch]) -> Iterator[tuple[IdentifierKey, tuple[float, float]]]:
    """Each branch in a sector of its own, as wide as the leaves that hang on it."""
    below: dict[IdentifierKey | None, list[IdentifierKey]] = {}
    for branch in tree:
        below.setdefault(branch.above, []).append(branch.key)
    leaves: dict[IdentifierKey, int] = {}
    for branch in reversed(tree):
        leaves[branch.key] = sum(leaves[key] for key in below.get(branch.key, ())) or 1
    depth = {branch.key: branch.depth for branch in tree}
    ring = max(RING, _crowd(depth) * 46.0 / math.tau)
    sectors = {middle: _Sector(centre * ring, -math.pi, math.tau) for middle, centre in _centres(tree)}
    for branch in tree:
        sector = sectors[branch.key]
        angle, radius, start = sector.start + sector.width / 2, depth[branch.key] * ring, sector.start
        yield branch.key, (sector.centre + radius * math.cos(angle), radius * math.sin(angle))
        for key in below.get(branch.key, ()):
            own = sector.width * leaves[key] / leaves[branch.key]
            sectors[key] = _Sector(sector.centre, start, own)
            start += own


def _centres(tree: Sequence[_Branch]) -> Iterator[tuple[IdentifierKey, int]]:
    """Where the middle of each tree stands, in rings: beside the tree before it. As a rule there is one."""
    end = 0
    for branch in tree:
        if branch.above is None:
            reach = _reach(tree, branch)
            yield branch.key, end + reach
            end += 2 * reach + 1


def _reach(tree: Sequence[_Branch], middle: _Branch) -> int:
    """How many rings there are around a middle: those of the branches that follow it."""
    following = dropwhile(lambda branch: branch != middle, tree)
    own = takewhile(lambda branch: branch.above is not None, islice(following, 1, None))
    return max((branch.depth for branch in own), default=0)


def _crowd(depth: Mapping[IdentifierKey, int]) -> float:
    """How many stand on the fullest ring, for its share of the first ring's length."""
    rings = list(depth.values())
    return max((rings.count(ring) / ring for ring in set(rings) if ring), default=0.0)


def _bridges(cluster: Cluster, tree: Sequence[_Branch]) -> Iterator[Pair]:
    """A link that a tree does without is no bridge, so only the tree's own are asked."""
    for branch in tree:
        if branch.above is not None and is_bridge(cluster, pair(branch.key, branch.above), branch.key, branch.above):
            yield pair(branch.key, branch.above)
