"""The node: one identifier, whose it is, and what operators decided about it.

A node is born with a person of its own at the first event that shows it. It counts the events it was seen in with each
other identifier and asks for the link until the pair is counted in full; from then on an event writes nothing. Its row
is the home of the pairs in which it is the smaller key: requests about a pair meet here and the newest wins. It knows
nothing of the members of its person.
"""

from msgspec.structs import replace

from models.identity import policy
from models.identity.birth import alive, born_now
from models.identity.handshake import freeze
from models.identity.home import pass_on
from models.identity.messages import (
    Apart,
    Confirm,
    Erase,
    EraseCluster,
    Forget,
    ForgetRefusal,
    Lift,
    Link,
    LinkNode,
    NodeErased,
    Occurred,
    Refuse,
    RefuseNode,
    Relabel,
    Relink,
    Shared,
    Unlink,
)
from models.identity.outcome import Mapped, Refused, Suppressed
from models.identity.rows import Cluster, Node
from models.identity.turn import Turn
from models.identity.values import (
    NEVER,
    Ask,
    Assignment,
    Bond,
    Cause,
    Decision,
    Evidence,
    Refusal,
    Sighting,
    requested,
)
from models.ids import IdentifierKey, UnifiedUserId


def occurred(turn: Turn, message: Occurred) -> None:
    """Pass the event on to the cluster, and ask for the links it shows. From before an erasure: turned away."""
    node = turn.node(message.key)
    if node is None or node.uid is None or message.occurred_at <= node.erased_at:
        first = message.identifiers[0]
        node = alive(turn, node, first, Evidence(message.occurred_at, message.event_id, message.channel, message.received_at))
    if node is None or node.uid is None:
        turn.record(_suppressed(turn, message))
        return
    pass_on(turn, node.uid, message)
    for other in message.identifiers[1:]:
        if other.key != message.key and node.linked.get(other.key, 0) < policy.COUNTED_MAX:
            node = _count(turn, node, message, other)


def link_node(turn: Turn, message: LinkNode) -> None:
    """Bring the pair before a cluster: the younger of the two acts. A shared end takes no new links."""
    bond = message.bond
    before = turn.node(message.key)
    node = alive(turn, before, bond.near, bond.evidence)
    if node is None or node.uid is None:
        turn.answer_link(bond.force, "refused", "erased")
        return
    if bond.far.key not in node.linked:
        node = replace(node, linked=_counted(node.linked, bond.far.key, 1))
        turn.put_node(message.key, node)
    uid, far_uid = owner(node), message.far_uid
    barred = message.barred or _shared(node, bond)
    if barred is not None and uid != far_uid:
        _bar(turn, bond, uid, far_uid, barred)
    elif far_uid < uid and born_now(before, node) and _joins_at_once(turn, bond, uid, far_uid):
        return
    elif far_uid < uid:
        turn.send(Link(uid, bond, far_uid, message.detours))
    else:
        turn.send(Link(far_uid, bond.reversed(), uid, message.detours))


def relabel(turn: Turn, message: Relabel) -> None:
    """Follow the custody, if it is newer than what is known."""
    node = turn.node(message.key)
    if node is not None and is_newer(node, message):
        history = (*node.history, _assignment(node, message.uid, message.cause))[-policy.HISTORY_MAX :]
        turn.put_node(message.key, replace(node, uid=message.uid, version=message.version, history=history))
        turn.record(Mapped(message.key, message.uid, message.version))
    _confirm(turn, message.ask, message.key)


def unlink(turn: Turn, message: Unlink) -> None:
    """Note the decision, and hand the newest one about the pair to whoever holds the identifier; nobody is born."""
    version = message.version
    node = _decided(turn, message.key, message.other, Decision(version, True))
    if node is None:
        return
    newest = node.apart[message.other]
    if newest.version > version:
        turn.answer(version.request_id, "superseded", newest.version.request_id)
    elif node.uid is None and newest.on:
        turn.answer(version.request_id, "done")
    if node.uid is not None:
        turn.send(Apart(node.uid, message.key, message.other, newest, message.detours))


def relink(turn: Turn, message: Relink) -> None:
    """Note the decision and lift the pair where it is held. Older than an erasure it lifts, but links nothing."""
    version, other = message.version, message.far.key
    node = _decided(turn, message.key, other, Decision(version, False))
    if node is None:
        return
    if node.apart[other].version > version:
        turn.answer(version.request_id, "superseded", node.apart[other].version.request_id)
        return
    living = alive(turn, node, message.near, requested(version))
    if living is not None:
        turn.send(Lift(owner(living), message.near, message.far, version, message.detours))
        return
    turn.answer(version.request_id, "refused", "erased")
    lift_only(turn, node, message)


def erase(turn: Turn, message: Erase) -> None:
    """Ask the person's cluster to forget everything; without a person, remember the erasure alone."""
    node = turn.node(message.key)
    if node is not None and node.uid is not None and node.erased_at < message.at:
        turn.answer(message.request_id, "accepted")
        turn.send(EraseCluster(node.uid, message.key, message.request_id, message.at, message.detours))
        return
    if node is None:
        turn.put_node(message.key, Node(version=0, erased_at=message.at))
    elif node.uid is None:
        turn.put_node(message.key, replace(node, erased_at=max(node.erased_at, message.at)))
    turn.answer(message.request_id, "done")


def node_erased(turn: Turn, message: NodeErased) -> None:
    """The person is gone: nothing is left but the time of it, the version and what operators decided."""
    node = turn.node(message.key)
    if node is not None and node.uid is not None and node.version <= message.version:
        erased_at = max(node.erased_at, message.erased_at)
        turn.put_node(message.key, Node(None, message.version, erased_at=erased_at, apart=surviving_decisions(node)))
        turn.record(Mapped(message.key, None, message.version))
    _confirm(turn, message.ask, message.key)


def shared(turn: Turn, message: Shared) -> None:
    """Take no new links in this life."""
    node = turn.node(message.key)
    if node is not None and node.uid is not None and not node.shared and message.version >= node.born:
        turn.put_node(message.key, replace(node, shared=True))


def refuse_node(turn: Turn, message: RefuseNode) -> None:
    """Pass a refusal on to whoever holds the identifier; nobody does after an erasure."""
    node = turn.node(message.key)
    if node is not None and node.uid is not None:
        turn.send(Refuse(node.uid, message.key, message.other, message.refusal, message.detours))


def is_newer(node: Node, message: Relabel) -> bool:
    """Whether a relabel says something new: custody versions only rise."""
    return node.uid is not None and message.version > node.version


def forget(turn: Turn, message: Forget) -> None:
    """Count the events with `other` anew, and have its refusal dropped by whoever holds the identifier."""
    node = turn.node(message.key)
    if node is None:
        return
    if message.other in node.linked:
        linked = {key: events for key, events in node.linked.items() if key != message.other}
        turn.put_node(message.key, replace(node, linked=linked))
    if node.uid is not None:
        turn.send(ForgetRefusal(node.uid, message.key, message.other, message.erased_at))


def lift_only(turn: Turn, node: Node, message: Relink) -> None:
    """A link older than an erasure still lifts the pair for the person who came after."""
    if node.uid is not None:
        turn.send(Apart(node.uid, message.key, message.far.key, node.apart[message.far.key]))


def surviving_decisions(node: Node) -> dict[IdentifierKey, Decision]:
    """Unlinks outlive an erasure: permanent until a link says otherwise."""
    return node.apart


def owner(node: Node) -> UnifiedUserId:
    """The uid of a node that has one."""
    assert node.uid is not None
    return node.uid


def _count(turn: Turn, node: Node, message: Occurred, other: Sighting) -> Node:
    """One more event with `other`: the first time its node is asked, later the cluster, which counts distinct events."""
    uid, seen = owner(node), node.linked.get(other.key, 0)
    evidence = Evidence(message.occurred_at, message.event_id, message.channel, message.received_at)
    bond = Bond(message.identifiers[0], other, evidence)
    if seen:
        turn.send(Link(uid, bond, uid))
    else:
        barred = _shared(node, bond) or policy.surplus(turn.policy(), message.identifiers, bond)
        turn.send(LinkNode(other.key, bond.reversed(), uid, barred))
    node = replace(node, linked=_counted(node.linked, other.key, seen + 1))
    turn.put_node(message.key, node)
    return node


def _counted(linked: dict[IdentifierKey, int], other: IdentifierKey, events: int) -> dict[IdentifierKey, int]:
    counted = linked | {other: events}
    if len(counted) > policy.LINKED_MAX:
        del counted[next(iter(counted))]
    return counted


def _joins_at_once(turn: Turn, bond: Bond, uid: UnifiedUserId, far_uid: UnifiedUserId) -> bool:
    """A cluster that nobody else knows yet may propose in the turn of its birth: a hop less for a new identifier."""
    row = turn.outcome.rows.get("c|" + uid)
    if not isinstance(row, Cluster):
        return False
    freeze(turn, uid, row, bond, far_uid)
    return True


def _shared(node: Node, bond: Bond) -> Refusal | None:
    return Refusal("shared", bond.evidence, bond.force or NEVER) if node.shared else None


def _bar(turn: Turn, bond: Bond, uid: UnifiedUserId, far_uid: UnifiedUserId, refusal: Refusal) -> None:
    """Refused before any cluster is asked; both sides record it, unless they are together by then."""
    turn.send(Refuse(uid, bond.near.key, bond.far.key, refusal))
    turn.send(Refuse(far_uid, bond.far.key, bond.near.key, refusal))
    turn.record(Refused(bond.pair, refusal))
    turn.answer_link(bond.force, "refused", refusal.reason)


def _decided(turn: Turn, key: IdentifierKey, other: IdentifierKey, decision: Decision) -> Node | None:
    """The node with the newest decision about the pair; None when the request is refused at once."""
    if key == other:
        turn.answer(decision.version.request_id, "refused", "one identifier is no pair")
        return None
    node = turn.node(key) or Node()
    known = node.apart.get(other)
    if known is not None and not is_newer_decision(known, decision):
        return node
    if known is None and len(node.apart) >= turn.policy().unlinks_max:
        turn.answer(decision.version.request_id, "refused", "too many unlinks of one identifier")
        return None
    turn.answer(decision.version.request_id, "accepted")
    node = replace(node, apart=node.apart | {other: decision})
    turn.put_node(key, node)
    return node


def is_newer_decision(known: Decision, decision: Decision) -> bool:
    """Whether a request about a pair is newer than the one that decided so far."""
    return known.version < decision.version


def _assignment(node: Node, uid: UnifiedUserId, cause: Cause) -> Assignment:
    """Log times of different sources may overlap; a history's never do."""
    since = max(cause.at, node.history[-1].since if node.history else cause.at)
    return Assignment(uid, since, cause)


def _confirm(turn: Turn, ask: Ask | None, key: IdentifierKey) -> None:
    if ask is not None:
        turn.send(Confirm(ask.uid, ask.request_id, key))


def _suppressed(turn: Turn, message: Occurred) -> Suppressed:
    node = turn.node(message.key)
    assert node is not None
    return Suppressed(message.key, message.event_id, message.occurred_at, node.erased_at, message.body)
