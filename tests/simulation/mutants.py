"""Rules removed, one at a time: each mutant must be found by the checks.

A mutant replaces a small named function of the protocol, or takes a promise from the runtime; production code has no
switches for it. `setting` is where the rule is needed often: hot faults, the requests that matter. `first` is where to begin:
for the rare ones a seed that is known to find it, so that the test is fast; later ones are tried if the code has changed.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import msgspec

from models.identity import birth, cluster, custody, handshake, node, parting, paths, policy
from models.identity.messages import Propose, Relabel, Relink, Unlink
from models.identity.policy import Policy
from models.identity.rows import Cluster, Node, Proposal
from models.identity.turn import Turn
from models.identity.values import Bond, Content, Pair, Refusal, Sighting, Version
from models.ids import IdentifierKey, UnifiedUserId, route
from tests.simulation import history, journeys
from tests.simulation.history import Scale
from tests.simulation.partition import Faults, Rules
from tests.simulation.world import LIMITS, Setting

Patch = tuple[Any, str, Callable[..., Any]]

HOT = Faults(crash=0.06, duplicate=0.1)
CALM_RUNTIME = Rules(cursor=False)
"""Without cursors every duplicate reaches the protocol, which must not need them."""
PLAIN = Setting(Scale(), faults=HOT, rules=CALM_RUNTIME)
PARTING = replace(PLAIN, scale=Scale(unlinks=5, links=4))
UNLINKS = replace(PLAIN, scale=Scale(unlinks=6))
LIMITED = replace(UNLINKS, policy=Policy(limits=LIMITS))
ERASING = replace(PLAIN, scale=Scale(erasures=3))
PARTING_ERASING = replace(PLAIN, scale=Scale(unlinks=5, links=4, erasures=4))
BACK_AND_FORTH = replace(
    PLAIN, scale=Scale(identifiers=6, events=12, unlinks=8, links=8), faults=Faults(crash=0.1, duplicate=0.5)
)
BUILT = Setting(Scale(unlinks=3, links=2), faults=replace(HOT, stall=0.5, torn=True))


@dataclass(frozen=True)
class Mutant:
    """A rule, the setting in which its absence shows, and what replaces it."""

    setting: Setting
    patches: tuple[Patch, ...] = ()
    first: int = 0

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The code without the rule."""
        with ExitStack() as stack:
            for module, name, function in self.patches:
                stack.enter_context(patch.object(module, name, function))
            yield


def _stays_open(turn: Turn, uid: UnifiedUserId, row: Cluster, bond: Bond, elder: UnifiedUserId) -> None:
    row = msgspec.structs.replace(row, proposal=Proposal(elder, bond), number=row.number + 1)
    turn.put_cluster(uid, row)
    turn.send(Propose(elder, uid, row.number, bond, row.content))


def _freeze_towards_anyone(turn: Turn, uid: UnifiedUserId, row: Cluster, bond: Bond, elder: UnifiedUserId) -> None:
    row = msgspec.structs.replace(row, state="frozen", proposal=Proposal(elder, bond), number=row.number + 1)
    turn.put_cluster(uid, row)
    turn.send(Propose(elder, uid, row.number, bond, row.content))


def _revived(content: Content, leaving: frozenset[IdentifierKey], version: Version) -> UnifiedUserId:
    routes = {route(key) for key in leaving}
    earlier = [uid for uid in content.absorbed if route(uid) in routes]
    return min(earlier) if earlier else _fresh(content, leaving, version)


def _pair_only(guards: Policy, elder: Content, younger: Content, bond: Bond) -> Refusal | None:
    one, other = (
        msgspec.structs.replace(content, apart={both: d for both, d in content.apart.items() if both == bond.pair})
        for content in (elder, younger)
    )
    return _objection(guards, one, other, bond)


def _direct_only(turn: Turn, uid: UnifiedUserId, row: Cluster, kept: Pair, version: Version) -> None:
    if len(paths.shortest_path(row.content.links, row.content.members, *kept)) > 2:
        turn.put_cluster(uid, row)
        turn.answer(version.request_id, "done")
    else:
        links = {link: evidence for link, evidence in row.content.links.items() if link != kept}
        if paths.shortest_path(links, row.content.members, *kept):
            turn.put_cluster(uid, msgspec.structs.replace(row, content=msgspec.structs.replace(row.content, links=links)))
            turn.answer(version.request_id, "done")
        else:
            _take_apart(turn, uid, row, kept, version)


def _changes_its_mind(guards: Policy, elder: Content, younger: Content) -> str | None:
    return "user_id" if _MOOD.random() < 0.3 else _over_limit(guards, elder, younger)


def _unlink_as_given(a: IdentifierKey, b: IdentifierKey, version: Version) -> Unlink:
    return Unlink(a, b, version)


def _relink_as_given(a: Sighting, b: Sighting, version: Version) -> Relink:
    return Relink(a.key, a, b, version)


def _without_decisions(key: IdentifierKey, row: Node) -> Content:
    return msgspec.structs.replace(_decisions_at_birth(key, row), apart={})


def _smaller_uid(row: Node, message: Relabel) -> bool:
    return row.uid is not None and message.uid < row.uid


def _untombstoned(apart: dict[Pair, Any], freed: Pair, version: Version) -> dict[Pair, Any]:
    return {both: decision for both, decision in apart.items() if both != freed}


_MOOD = random.Random(0)
_objection, _over_limit, _fresh = policy.objection, policy.over_limit, parting.fragment_uid
_take_apart, _decisions_at_birth, _stub = cluster.take_apart, birth.decisions_at_birth, cluster.is_stub

# That an answer leaves a row that remembers it is needed too rarely for random histories; it has a story of its own in
# tests/models/identity/test_cases.py.
PROTOCOL: dict[str, Mutant] = {
    "relabel: the last writer wins": Mutant(PLAIN, ((node, "is_newer", lambda row, message: row.uid is not None),)),
    "relabel: the smallest uid wins": Mutant(UNLINKS, ((node, "is_newer", _smaller_uid),)),
    "no custody check": Mutant(UNLINKS, ((custody, "has_custody", lambda row, key: True),)),
    "the loser stays open": Mutant(
        PLAIN,
        (
            (handshake, "freeze", _stays_open),
            (cluster, "freeze", _stays_open),
            (node, "freeze", _stays_open),
            (handshake, "answers", lambda row, number: row.state == "live" and row.proposal is not None),
        ),
    ),
    "nothing waits": Mutant(
        PLAIN, ((handshake, "defer", lambda turn, row, message: None), (cluster, "defer", lambda turn, row, message: None))
    ),
    "no proposal number": Mutant(LIMITED, ((handshake, "answers", lambda row, number: row.state == "frozen"),)),
    "answered proposals are forgotten": Mutant(
        BACK_AND_FORTH, ((handshake, "was_answered", lambda content, message: False),), first=99
    ),
    "absorbed uids are forgotten": Mutant(UNLINKS, ((handshake, "was_absorbed", lambda content, uid: False),)),
    "either side may propose": Mutant(
        PLAIN,
        (
            (cluster, "proposes", lambda uid, far_uid: True),
            (cluster, "freeze", _freeze_towards_anyone),
            (node, "freeze", _freeze_towards_anyone),
        ),
    ),
    "a loser is revived by a split": Mutant(
        UNLINKS,
        (
            (parting, "fragment_uid", _revived),
            (cluster, "is_stub", lambda row: row.state in ("unborn", "merged")),
        ),
    ),
    "no incarnation in the uid": Mutant(
        PARTING_ERASING,
        (
            (birth, "incarnation", lambda event_id, version: event_id),
            (parting, "incarnation", lambda version, custody: version.request_id),
        ),
    ),
    "erasure suppresses nothing": Mutant(ERASING, ((birth, "is_suppressed", lambda row, evidence: False),)),
    "journeys take an event twice": Mutant(PLAIN, ((journeys, "is_new", lambda row, event: True),)),
    "a guard that changes its mind": Mutant(
        replace(PLAIN, policy=Policy(limits=LIMITS)), ((policy, "over_limit", _changes_its_mind),)
    ),
}

CANNOT_LINK: dict[str, Mutant] = {
    "only the linked pair is checked": Mutant(PARTING, ((policy, "objection", _pair_only),)),
    "only the elder's decisions are read": Mutant(
        PARTING, ((policy, "kept_apart", lambda elder, younger: policy.meeting(elder, younger)),)
    ),
    "only the direct link is cut": Mutant(PARTING, ((cluster, "take_apart", _direct_only),)),
    "parted while frozen": Mutant(PARTING, ((cluster, "must_wait", lambda row: False),)),
    "decisions stay behind a split": Mutant(PARTING, ((parting, "goes_along", lambda both, leaving: False),)),
    "the last request to arrive decides": Mutant(
        PARTING,
        (
            (node, "is_newer_decision", lambda known, decision: True),
            (cluster, "decides", lambda known, decision: True),
            (cluster, "overrules", lambda known, version: False),
        ),
    ),
    "a pair's home is as the request says": Mutant(
        PARTING, ((history, "unlink", _unlink_as_given), (history, "relink", _relink_as_given))
    ),
    "a lifted decision is deleted": Mutant(PARTING, ((cluster, "lifted", _untombstoned),)),
    "an operator's link does not clear a refusal": Mutant(
        PARTING, ((policy, "sticky", lambda refusal, force: refusal is not None),)
    ),
    "a cut link forgets the operator's link": Mutant(
        BACK_AND_FORTH, ((parting, "refused_since", lambda content, link, version: version),), first=387
    ),
    "refusals stay behind a split": Mutant(PARTING, ((parting, "concerns", lambda both, members: True),)),
    "a birth takes over no decisions": Mutant(PARTING, ((birth, "decisions_at_birth", _without_decisions),)),
    "a birth after an erasure takes over no decisions": Mutant(
        PARTING_ERASING, ((birth, "decisions_at_birth", _without_decisions),)
    ),
    "decisions are lost at erasure": Mutant(PARTING_ERASING, ((node, "surviving_decisions", lambda row: {}),)),
    "a link older than an erasure does not lift": Mutant(
        PARTING_ERASING, ((node, "lift_only", lambda turn, row, message: None),)
    ),
}


def _runtime(faults: Faults = BUILT.faults, scale: Scale = BUILT.scale, first: int = 0, **removed: bool) -> Mutant:
    return Mutant(replace(BUILT, rules=Rules(**removed), faults=faults, scale=scale), first=first)


RUNTIME: dict[str, Mutant] = {
    "two inboxes": Mutant(replace(LIMITED, rules=Rules(one_inbox=False)), first=13),
    "no stamps, no cursor": _runtime(
        replace(BUILT.faults, commit=0.3, duplicate=0.02, stall=1.0, lost_disk=0.1),
        Scale(8, 10, unlinks=2, links=1),
        first=103,
        stamps=False,
        cursor=False,
    ),
    "recovery: the last write wins": _runtime(monotone=False),
    "no fence": _runtime(fence=False),
    "no fence, no compaction": _runtime(replace(BUILT.faults, compact=0.0), fence=False),
    "nothing is appended again": _runtime(reappend=False),
    "an idle owner does not probe": _runtime(first=84, probe=False),
    "the rightful owner ignores the gap": _runtime(owner_minds_gap=False),
    "appending again is not fenced": _runtime(
        Faults(crash=0.15, duplicate=0.1, stall=1.0, torn=True, compact=0.1), reappend_fenced=False
    ),
    "node rows before cluster rows": _runtime(nodes_last=False),
    "outputs after state": _runtime(outputs_first=False),
    "outputs after state, no cursor": _runtime(outputs_first=False, cursor=False),
    "local rows before the changelog": _runtime(changelog_first=False),
    "the cursor first": _runtime(cursor_last=False),
    "the offset before the rows": _runtime(local_atomic=False, offset_last=False),
    "holes in what was produced": _runtime(no_holes=False),
}

NOT_NEEDED: dict[str, Mutant] = {
    "no cursor": _runtime(cursor=False),
    "no stamps": _runtime(stamps=False),
    "nothing is appended again, no compaction": _runtime(replace(BUILT.faults, compact=0.0), reappend=False),
    "node rows first, whole appends": _runtime(replace(BUILT.faults, torn=False), nodes_last=False),
    "local writes not atomic, the offset last": _runtime(local_atomic=False),
    "holes, no cursor": _runtime(no_holes=False, cursor=False),
}
"""What the runtime has for other reasons: without it nothing is wrong either."""

MUTANTS = PROTOCOL | CANNOT_LINK | RUNTIME
