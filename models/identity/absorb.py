"""Two contents become one: what the elder holds after it has taken in the younger."""

from msgspec.structs import replace

from models.identity.policy import outranks
from models.identity.values import Absorption, Bond, Content, Departure, Member, Proof, Refusal
from models.ids import IdentifierKey, UnifiedUserId


def absorb(elder: Content, younger: Content, uid: UnifiedUserId, absorbed: UnifiedUserId, bond: Bond) -> Content:
    """The joint content of `uid`, which takes in `absorbed` because of the bond. Each new member changes hands once."""
    pair = bond.pair
    members = elder.members | handed_over(younger)
    refused = {known: refusal for known, refusal in newest(elder, younger).items() if known != pair}
    return Content(
        members=members,
        links=elder.links | younger.links | {pair: Proof((bond.evidence,))},
        apart=elder.apart | younger.apart,
        refused=refused,
        absorbed=elder.absorbed | younger.absorbed | {absorbed: Absorption(uid, pair, bond.evidence)},
        departed=_departed(elder, younger, members),
        seen=_last_seen(elder, younger),
        not_before=elder.not_before | younger.not_before,
        origins=elder.origins | younger.origins,
    )


def handed_over(content: Content) -> dict[IdentifierKey, Member]:
    """Its members with the custody version of their next holder."""
    return {key: replace(member, version=member.version + 1) for key, member in content.members.items()}


def newest(elder: Content, younger: Content) -> dict[tuple[IdentifierKey, IdentifierKey], Refusal]:
    """The refusals of both; where both know a pair, the one that outranks the other."""
    refused = dict(elder.refused)
    for pair, refusal in younger.refused.items():
        if pair not in refused or outranks(refusal, refused[pair]):
            refused[pair] = refusal
    return refused


def _departed(elder: Content, younger: Content, members: dict[IdentifierKey, Member]) -> dict[IdentifierKey, Departure]:
    """Where former members of both went, by the higher version, without those that are back."""
    departed = {key: departure for key, departure in elder.departed.items() if key not in members}
    for key, departure in younger.departed.items():
        known = departed.get(key)
        if key not in members and (known is None or known.version < departure.version):
            departed[key] = departure
    return departed


def _last_seen(elder: Content, younger: Content) -> dict[UnifiedUserId, int]:
    seen = dict(elder.seen)
    for proposer, number in younger.seen.items():
        seen[proposer] = max(number, seen.get(proposer, 0))
    return seen
