"""The cluster: one uid, its members, the links between them and why.

It passes its members' events to its journey, brings links before the elder of two clusters (see handshake), parts
members that an operator keeps apart (see parting), and forgets everything when it is erased. It acts only for members
in its custody; what concerns others it sends after them (see custody).
"""

from msgspec.structs import replace

from models.identity import parting, policy
from models.identity.custody import held
from models.identity.handshake import defer, freeze, record_refusal
from models.identity.messages import (
    Apart,
    Confirm,
    Deliver,
    EraseCluster,
    Forget,
    ForgetRefusal,
    Lift,
    Link,
    LinkNode,
    NodeErased,
    Refuse,
    Relabel,
    Spawn,
)
from models.identity.outcome import Erased, Refused, Split
from models.identity.rows import Cluster
from models.identity.turn import Turn
from models.identity.values import Ask, Bond, Cause, Content, Decision, Evidence, Pair, Proof, Version, pair, requested
from models.ids import UnifiedUserId
from models.journey_messages import EventPlaced, JourneyErased, JourneySplit


def deliver(turn: Turn, message: Deliver) -> None:
    """Pass an event to the journey; also while frozen, for the journey follows by itself."""
    key = message.anchor.key
    row = held(turn, key, message)
    if row is not None:
        times, version = (message.occurred_at, message.received_at), row.content.members[key].version
        turn.tell(EventPlaced(message.uid, key, message.event_id, *times, message.body, version))


def link(turn: Turn, message: Link) -> None:
    """Two identifiers belong together: add evidence, or go towards the elder of their clusters."""
    bond = message.bond
    row = held(turn, bond.near.key, message)
    if row is None:
        return
    refusal = row.content.refused.get(bond.pair)
    if policy.sticky(refusal, bond.force):
        assert refusal is not None
        turn.answer_link(bond.force, "refused", refusal.reason)
    elif policy.outdated(bond, row.content, row.content):
        turn.answer_link(bond.force, "refused", "erased")
    elif row.state == "frozen":
        defer(turn, row, message)
    else:
        _join(turn, _without_refusal(turn, message.uid, row, bond.pair), message)


def spawn(turn: Turn, message: Spawn) -> None:
    """Begin, once; only now the members' nodes are told, so that they never point at nothing."""
    row = turn.cluster(message.uid)
    if row is not None and not is_stub(row):
        return
    content = message.content if row is None else replace(message.content, seen=row.content.seen)
    turn.put_cluster(message.uid, Cluster("live", content))
    for key, member in content.members.items():
        turn.send(Relabel(key, message.uid, member.version, message.cause, message.ask))


def apart(turn: Turn, message: Apart) -> None:
    """The newest decision about a pair: note it, and part the two if they are together."""
    row = held(turn, message.key, message)
    if row is None:
        return
    kept = pair(message.key, message.other)
    known = row.content.apart.get(kept)
    if known is not None and not decides(known, message.decision):
        _answer_again(turn, row, known, message)
    elif must_wait(row):
        defer(turn, row, message)
    else:
        _keep_apart(turn, message.uid, row, kept, message.decision)


def lift(turn: Turn, message: Lift) -> None:
    """An operator's link: the pair is free again, and is linked like any other."""
    row = held(turn, message.near.key, message)
    if row is None:
        return
    if row.state == "frozen":
        defer(turn, row, message)
        return
    freed = pair(message.near.key, message.far.key)
    known = row.content.apart.get(freed)
    if known is not None and overrules(known, message.version):
        turn.answer(message.version.request_id, "superseded", known.version.request_id)
        return
    apart = lifted(row.content.apart, freed, message.version)
    turn.put_cluster(message.uid, replace(row, content=replace(row.content, apart=apart)))
    bond = Bond(message.near, message.far, requested(message.version), message.version)
    link(turn, Link(message.uid, bond, message.uid))


def erase_cluster(turn: Turn, message: EraseCluster) -> None:
    """Forget the person: nothing is left but the fact."""
    row = held(turn, message.key, message)
    if row is None:
        return
    if row.state == "frozen":
        defer(turn, row, message)
        return
    members = row.content.members
    ask = Ask(message.request_id, message.uid)
    turn.put_cluster(message.uid, Cluster("erased", number=row.number, awaiting=row.awaiting | {ask.request_id: tuple(members)}))
    for key, member in members.items():
        turn.send(NodeErased(key, member.version, message.at, ask))
    turn.tell(JourneyErased(message.uid, message.at))
    for uid in (message.uid, *row.content.absorbed):
        turn.record(Erased(uid, message.request_id, message.at))
    for mine, other in refused_ends(row.content):
        turn.send(Forget(other, mine, message.at))


def refuse(turn: Turn, message: Refuse) -> None:
    """Record a link that was refused elsewhere; to those who are together by now it is evidence like any other."""
    row = held(turn, message.key, message)
    if row is None:
        return
    if row.state == "frozen":
        defer(turn, row, message)
        return
    refused = pair(message.key, message.other)
    if policy.predates(message.refusal.evidence, row.content, *refused):
        return
    if message.other not in row.content.members:
        content = record_refusal(turn, row.content, refused, message.refusal)
    elif refused not in row.content.refused:
        content = with_evidence(row.content, refused, message.refusal.evidence)
    else:
        content = row.content
    if content is not row.content:
        turn.put_cluster(message.uid, replace(row, content=content))


def forget_refusal(turn: Turn, message: ForgetRefusal) -> None:
    """Drop the refusal of a link with somebody who was erased: a new event with that identifier is another person's."""
    row = held(turn, message.key, message)
    if row is None:
        return
    if row.state == "frozen":
        defer(turn, row, message)
        return
    refused = pair(message.key, message.other)
    refusal = row.content.refused.get(refused)
    if refusal is not None and refusal.evidence.occurred_at <= message.erased_at:
        _without_refusal(turn, message.uid, row, refused)


def confirm(turn: Turn, message: Confirm) -> None:
    """A step is visible; after the last one so is the whole request."""
    row = turn.cluster(message.uid)
    waiting = row.awaiting.get(message.request_id, ()) if row is not None else ()
    if row is None or message.name not in waiting:
        return
    left = tuple(name for name in waiting if name != message.name)
    others = {request: names for request, names in row.awaiting.items() if request != message.request_id}
    turn.put_cluster(message.uid, replace(row, awaiting=others | {message.request_id: left} if left else others))
    if not left:
        turn.answer(message.request_id, "done")


def refused_ends(content: Content) -> list[Pair]:
    """The refused links to others, each as (member, other)."""
    ends = [both if both[0] in content.members else (both[1], both[0]) for both in content.refused]
    return [(mine, other) for mine, other in ends if other not in content.members]


def is_stub(row: Cluster) -> bool:
    """Whether the row is only the memory of an answer given before its content came."""
    return row.state == "unborn"


def decides(known: Decision, decision: Decision) -> bool:
    """Whether a decision is newer than the one held: messages about one pair may take trails of different length."""
    return known.version < decision.version


def overrules(known: Decision, version: Version) -> bool:
    """Whether the pair was decided again since an operator's link."""
    return known.version > version


def must_wait(row: Cluster) -> bool:
    """Whether the content is on offer, so that nothing in it may change."""
    return row.state == "frozen"


def lifted(apart: dict[Pair, Decision], freed: Pair, version: Version) -> dict[Pair, Decision]:
    """A lifted decision stays as a tombstone, so that an older one that comes late is known to be older."""
    return apart | {freed: Decision(version, False)}


def with_evidence(content: Content, linked: Pair, evidence: Evidence) -> Content:
    """The link with one more distinct event, up to as many as are counted."""
    known = content.links.get(linked, Proof(()))
    if known.events >= policy.COUNTED_MAX or known.shows(evidence.event_id):
        return content
    return replace(content, links=content.links | {linked: known.plus(evidence)})


def _without_refusal(turn: Turn, uid: UnifiedUserId, row: Cluster, linked: Pair) -> Cluster:
    if linked not in row.content.refused:
        return row
    refused = {known: refusal for known, refusal in row.content.refused.items() if known != linked}
    row = replace(row, content=replace(row.content, refused=refused))
    turn.put_cluster(uid, row)
    return row


def _join(turn: Turn, row: Cluster, message: Link) -> None:
    uid, bond, far_uid = message.uid, message.bond, message.far_uid
    if bond.far.key in row.content.members:
        content = with_evidence(row.content, bond.pair, bond.evidence)
        if content is not row.content:
            turn.put_cluster(uid, replace(row, content=content))
        turn.answer_link(bond.force, "done")
        return
    if far_uid == uid:
        departure = row.content.departed.get(bond.far.key)
        if departure is None:
            turn.send(LinkNode(bond.far.key, bond.reversed(), uid))
            return
        far_uid = departure.uid
    if proposes(uid, far_uid):
        freeze(turn, uid, row, bond, far_uid)
    else:
        turn.send(Link(far_uid, bond.reversed(), uid))


def proposes(uid: UnifiedUserId, far_uid: UnifiedUserId) -> bool:
    """Whether it is ours to propose: always the younger to the elder."""
    return far_uid < uid


def _answer_again(turn: Turn, row: Cluster, known: Decision, message: Apart) -> None:
    """A decision that came before, or too late: its request has its answer, or is superseded."""
    request_id = message.decision.version.request_id
    if not message.decision.on:
        return
    if known.version > message.decision.version:
        turn.answer(request_id, "superseded", known.version.request_id)
    elif request_id not in row.awaiting:
        turn.answer(request_id, "done")


def _keep_apart(turn: Turn, uid: UnifiedUserId, row: Cluster, kept: Pair, decision: Decision) -> None:
    content = replace(row.content, apart=row.content.apart | {kept: decision})
    if decision.on and kept[0] in content.members and kept[1] in content.members:
        take_apart(turn, uid, replace(row, content=content), kept, decision.version)
        return
    turn.put_cluster(uid, replace(row, content=content))
    if decision.on:
        turn.answer(decision.version.request_id, "done")


def take_apart(turn: Turn, uid: UnifiedUserId, row: Cluster, kept: Pair, version: Version) -> None:
    """Cut until the pair is in two fragments, and let one go under a uid of its own."""
    content, refused = parting.cut(row.content, kept, version)
    for linked, refusal in refused.items():
        turn.record(Refused(linked, refusal))
    parted = parting.part(uid, content, kept, version)
    leaving = {key: member.version for key, member in parted.leaves.members.items()}
    ask = Ask(version.request_id, uid)
    awaiting = row.awaiting | {ask.request_id: tuple(leaving)}
    turn.put_cluster(uid, replace(row, content=parted.stays, awaiting=awaiting))
    leaves = replace(parted.leaves, origins={parted.uid: uid})
    turn.send(Spawn(parted.uid, leaves, Cause("split", version.request_id, version.at, kept), ask))
    turn.tell(JourneySplit(uid, parted.uid, leaving, parted.leaves.not_before))
    turn.record(Split(parted.uid, uid, tuple(leaving), version.request_id, version.at))
