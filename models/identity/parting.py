"""Taking a person apart: an operator said that two identifiers are not one person.

While a path joins the two, the weakest link of the shortest one is cut. Each cut either leaves them joined or parts
them, so exactly two fragments are left. The one with the identifier that the uid was born from stays; the other leaves
under a fresh uid, with everything that concerns its members.
"""

from collections.abc import Container
from typing import NamedTuple

from msgspec.structs import replace

from models.identity.paths import distances, links_of, neighbours, shortest_path
from models.identity.values import NEVER, Content, Departure, Pair, Proof, Refusal, Version
from models.ids import IdentifierKey, UnifiedUserId, mint, route

Fragment = frozenset[IdentifierKey]


class Parted(NamedTuple):
    """What stays, what leaves and under which uid."""

    stays: Content
    leaves: Content
    uid: UnifiedUserId


def cut(content: Content, apart: Pair, version: Version) -> tuple[Content, dict[Pair, Refusal]]:
    """The content without the links that joined the pair, and these as refused. No path joins the pair any more."""
    links = dict(content.links)
    refused: dict[Pair, Refusal] = {}
    while path := shortest_path(links, content.members, *apart):
        weakest = weakest_link(content, links_of(path), links)
        proof = links.pop(weakest)
        refused[weakest] = Refusal("kept_apart", proof.first, refused_since(content, weakest, version), kept_apart=apart)
    return replace(content, links=links, refused=content.refused | refused), refused


def weakest_link(content: Content, path: tuple[Pair, ...], links: dict[Pair, Proof]) -> Pair:
    """Fewest events, then the youngest first event, then the smaller pair of names."""

    def strength(link: Pair) -> tuple[int, int, list[str]]:
        proof = links[link]
        return proof.events, -proof.first.occurred_at, sorted(content.members[key].name for key in link)

    return min(path, key=strength)


def refused_since(content: Content, link: Pair, version: Version) -> Version:
    """A cut also answers an operator's link that was in force, so that its late duplicate does not link again."""
    earlier = content.apart.get(link)
    return max(version, earlier.version if earlier else NEVER)


def part(uid: UnifiedUserId, content: Content, apart: Pair, version: Version) -> Parted:
    """Divides content in which no path joins the pair any more."""
    near = neighbours(content.links)
    first = frozenset(distances(near, apart[0]))
    second = frozenset(distances(near, apart[1]))
    assert len(first) + len(second) == len(content.members), "a cut leaves exactly two fragments"
    leaving = second if keeps_uid(uid, first, second) else first
    fragment = fragment_uid(content, leaving, version)
    return Parted(_stay(content, leaving, fragment), _leave(content, leaving), fragment)


def keeps_uid(uid: UnifiedUserId, first: Fragment, second: Fragment) -> bool:
    """Whether the first fragment keeps the uid: it has the identifier the uid was born from, else it is the larger one."""
    for fragment, answer in ((first, True), (second, False)):
        if any(route(key) == route(uid) for key in fragment):
            return answer
    return (len(first), min(second)) > (len(second), min(first))


def fragment_uid(content: Content, leaving: Fragment, version: Version) -> UnifiedUserId:
    """A fresh uid, as a birth of its smallest identifier at the time of the request; never one that was in use before."""
    born_from = min(leaving)
    return mint(version.at, incarnation(version, content.members[born_from].version + 1), born_from)


def incarnation(version: Version, custody: int) -> str:
    """What makes a fragment's uid a fresh one, also when the same request parts the same identifier twice."""
    return f"{version.at}|{version.request_id}|{custody}"


def _leave(content: Content, leaving: Fragment) -> Content:
    return Content(
        members={key: replace(content.members[key], version=content.members[key].version + 1) for key in leaving_order(leaving)},
        links={link: proof for link, proof in content.links.items() if link[0] in leaving},
        apart={pair: decision for pair, decision in content.apart.items() if goes_along(pair, leaving)},
        refused={pair: refusal for pair, refusal in content.refused.items() if concerns(pair, leaving)},
        not_before={key: at for key, at in content.not_before.items() if key in leaving},
    )


def goes_along(pair: Pair, leaving: Fragment) -> bool:
    """A decision about a pair stays with the smaller identifier, whoever holds it."""
    return pair[0] in leaving


def concerns(pair: Pair, members: Container[IdentifierKey]) -> bool:
    """A refusal is kept wherever one of its ends is."""
    return pair[0] in members or pair[1] in members


def leaving_order(leaving: Fragment) -> list[IdentifierKey]:
    """Sets have no order of their own; what is written and sent must have one."""
    return sorted(leaving)


def _stay(content: Content, leaving: Fragment, fragment: UnifiedUserId) -> Content:
    members = {key: member for key, member in content.members.items() if key not in leaving}
    departed = {key: Departure(fragment, content.members[key].version + 1) for key in leaving_order(leaving)}
    return replace(
        content,
        members=members,
        links={link: proof for link, proof in content.links.items() if link[0] not in leaving},
        apart={pair: decision for pair, decision in content.apart.items() if not goes_along(pair, leaving)},
        refused={pair: refusal for pair, refusal in content.refused.items() if concerns(pair, members)},
        departed=content.departed | departed,
        not_before={key: at for key, at in content.not_before.items() if key not in leaving},
    )
