"""Paths over the links of one cluster.

Neighbours are taken in order of *name*, which is `namespace:value` of the member, not its key: what is cut and explained
then does not depend on the secret that keys are made with. Where several shortest paths join two identifiers, the one
whose sequence of names, read from the end with the smaller name, is the smallest is *the* path, in either direction.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from models.identity.values import Member, Pair, pair
from models.ids import IdentifierKey

Neighbours = dict[IdentifierKey, list[IdentifierKey]]


def neighbours(links: Iterable[Pair]) -> Neighbours:
    """Who is linked with whom."""
    found: Neighbours = {}
    for a, b in links:
        found.setdefault(a, []).append(b)
        found.setdefault(b, []).append(a)
    return found


def shortest_path(
    links: Iterable[Pair], members: Mapping[IdentifierKey, Member], a: IdentifierKey, b: IdentifierKey
) -> tuple[IdentifierKey, ...]:
    """The identifiers from a to b, both included; empty when no path joins them."""
    if members[a].name > members[b].name:
        return shortest_path(links, members, b, a)[::-1]
    near = neighbours(links)
    distance = distances(near, b)
    if a not in distance:
        return ()
    path = [a]
    while path[-1] != b:
        closer = distance[path[-1]] - 1
        path.append(min((key for key in near[path[-1]] if distance[key] == closer), key=lambda key: members[key].name))
    return tuple(path)


def distances(near: Neighbours, start: IdentifierKey) -> dict[IdentifierKey, int]:
    """How many links each reachable identifier is away from `start`."""
    found = {start: 0}
    level = [start]
    while level:
        reached = [other for key in level for other in near.get(key, ()) if other not in found]
        found.update((key, found[level[0]] + 1) for key in reached)
        level = list(dict.fromkeys(reached))
    return found


def links_of(path: tuple[IdentifierKey, ...]) -> tuple[Pair, ...]:
    """The links that a path goes along."""
    return tuple(pair(a, b) for a, b in pairwise(path))
