"""Persons for the tests of pages: identifiers, and which of them were seen together."""

from models.identity.rows import Cluster
from models.identity.values import Content, Evidence, Member, Pair, Proof, pair
from models.ids import EventId, Identifier, IdentifierKey, UnifiedUserId, key_of, mint


def named(name: str) -> tuple[str, str]:
    """Namespace and value of `namespace:value`."""
    namespace, _, value = name.partition(":")
    return namespace, value


def key(name: str) -> IdentifierKey:
    """The key of `namespace:value`."""
    return key_of(b"tests", Identifier(*named(name)))


def linked(*links: str, alone: str = "") -> Cluster:
    """A cluster out of links such as `user_id:1 phone:2`; `alone` is an identifier without any."""
    pairs = [link.split() for link in links]
    names = sorted({name for both in pairs for name in both} | ({alone} - {""}))
    members = {key(name): Member(0, *named(name), first_seen=1) for name in names}
    proofs: dict[Pair, Proof] = {}
    for at, (a, b) in enumerate(pairs):
        evidence = Evidence(at, EventId(f"e{at}"), "web", at)
        both = pair(key(a), key(b))
        proofs[both] = proofs[both].plus(evidence) if both in proofs else Proof((evidence,))
    return Cluster("live", Content(members, proofs))


def uid_of(name: str) -> UnifiedUserId:
    """The uid of whoever was born from `namespace:value`."""
    return mint(1, "", key(name))
