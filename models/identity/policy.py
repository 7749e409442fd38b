"""The guards: what may be one person. Pure decisions on content; the settings that they apply come in a Policy.

A link is refused when the joint content of the two clusters would break a rule. The refusal is sticky: no event asks
again, only an operator's link that is newer.
"""

from collections import Counter

import msgspec

from models.identity.values import NEVER, Bond, Content, Evidence, Pair, Refusal, Sighting, Version
from models.ids import IdentifierKey

COUNTED_MAX = 16
"""Distinct events counted for a link; more evidence changes nothing and is not written."""
LINKED_MAX = 128
"""Other identifiers that a node counts events with; the oldest give way and are counted anew when seen again."""
REFUSED_MAX = 300
"""Refusals that a cluster lists; the oldest give way, and their links are tried again when seen again."""
HISTORY_MAX = 32
"""Past owners that an identifier remembers."""


class Policy(msgspec.Struct, frozen=True, array_like=True):
    """The operator's settings of the guards."""

    limits: dict[str, int] = {}
    """Values of a namespace in one cluster; a namespace that is not named has no limit but the cluster's."""
    cluster_limit: int = 100
    shared_after: int = 3
    """Distinct pairs refused because of a limit, after which an identifier takes no new links."""
    unlinks_max: int = 100
    """Decisions about pairs that one identifier is the home of."""
    cluster_unlinks_max: int = 1000
    """Decisions in one cluster."""
    blocked_version: int = 0
    """Which list of blocked values the events were read with; recorded, not used here."""


DEFAULT = Policy()


def sticky(refusal: Refusal | None, force: Version | None) -> bool:
    """Whether an earlier refusal still stands against a link, which `force` (an operator's link) may demand."""
    return refusal is not None and (force is None or refusal.version >= force)


def outranks(refusal: Refusal, known: Refusal) -> bool:
    """Which of two refusals of one pair is told: the newer one, else that of the earlier evidence; the same on both sides."""
    if refusal.version != known.version:
        return refusal.version > known.version
    return (refusal.evidence, refusal.reason) < (known.evidence, known.reason)


def outdated(bond: Bond, near: Content, far: Content) -> bool:
    """Whether the evidence is from before an erasure of either end, each looked up where it is held."""
    return predates(bond.evidence, near, bond.near.key) or predates(bond.evidence, far, bond.far.key)


def predates(evidence: Evidence, content: Content, *keys: IdentifierKey) -> bool:
    """Whether evidence is from before an erasure of one of these identifiers, as far as they are held here."""
    return any(evidence.occurred_at <= content.not_before.get(key, -1) for key in keys)


def objection(policy: Policy, elder: Content, younger: Content, bond: Bond) -> Refusal | None:
    """Why the two may not be one person, or None. `bond.near` is the younger's, `bond.far` the elder's."""
    version = bond.force or NEVER
    parted = kept_apart(elder, younger)
    if parted is not None:
        return Refusal("kept_apart", bond.evidence, version, kept_apart=parted)
    if elder.members[bond.far.key].shared or younger.members[bond.near.key].shared:
        return Refusal("shared", bond.evidence, version)
    namespace = over_limit(policy, elder, younger)
    if namespace is not None:
        return Refusal("limit", bond.evidence, version, namespace=namespace)
    if too_large(policy, elder, younger):
        return Refusal("cluster_limit", bond.evidence, version)
    return None


def surplus(policy: Policy, seen: tuple[Sighting, ...], bond: Bond) -> Refusal | None:
    """Of more values in one event than a namespace may have, the first ones count; `bond.far` may be one too many."""
    limit, namespace = policy.limits.get(bond.far.namespace), bond.far.namespace
    if limit is None:
        return None
    values = [one.key for one in seen if one.namespace == namespace]
    return Refusal("limit", bond.evidence, NEVER, namespace) if bond.far.key in values[limit:] else None


def kept_apart(elder: Content, younger: Content) -> Pair | None:
    """A pair that an operator parted and that would meet; its entry lies with its smaller identifier, on either side."""
    return meeting(elder, younger) or meeting(younger, elder)


def over_limit(policy: Policy, elder: Content, younger: Content) -> str | None:
    """The namespace (the first in the policy's order) that would have too many values in one person."""
    if not policy.limits:
        return None
    counts = Counter(member.namespace for content in (elder, younger) for member in content.members.values())
    return next((name for name, limit in policy.limits.items() if counts[name] > limit), None)


def too_large(policy: Policy, elder: Content, younger: Content) -> bool:
    """Whether the joint content is more than a cluster may hold, in members or in decisions about pairs."""
    members = len(elder.members) + len(younger.members)
    return members > policy.cluster_limit or len(elder.apart) + len(younger.apart) > policy.cluster_unlinks_max


def newly_shared(policy: Policy, content: Content, pair: Pair) -> tuple[IdentifierKey, ...]:
    """Members of a refused pair that were refused so often, because of limits, that they count as shared from now on."""
    return tuple(key for key in pair if _is_newly_shared(policy, content, key))


def _is_newly_shared(policy: Policy, content: Content, key: IdentifierKey) -> bool:
    member = content.members.get(key)
    if member is None or member.shared:
        return False
    refused = sum(1 for pair, refusal in content.refused.items() if key in pair and _blames(refusal, member.namespace))
    return refused >= policy.shared_after


def _blames(refusal: Refusal, namespace: str) -> bool:
    """Whether a refusal speaks against an identifier: not when its own namespace is the limited one, which is protected."""
    return refusal.reason == "limit" and refusal.namespace != namespace


def meeting(mine: Content, theirs: Content) -> Pair | None:
    """A pair of which one side has the smaller identifier, and with it the decision, and the other side the other."""
    return next((pair for pair, decision in mine.apart.items() if decision.on and pair[1] in theirs.members), None)
