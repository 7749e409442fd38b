"""How an identifier gets a person: at the first evidence of it, and again after an erasure.

A birth names the uid by the broker's time of the event, the event and the custody version, so the same birth twice is one
birth, and a birth after an erasure is another. The new cluster takes over from the node what outlives persons.
"""

from msgspec.structs import replace

from models.identity.outcome import Mapped
from models.identity.rows import Cluster, Node
from models.identity.turn import Turn
from models.identity.values import Assignment, Cause, Content, Evidence, Member, Sighting, pair
from models.ids import EventId, IdentifierKey, mint


def alive(turn: Turn, node: Node | None, sighting: Sighting, evidence: Evidence) -> Node | None:
    """The node with a person, born now if there is none; None when the evidence is from before an erasure."""
    if node is not None and is_suppressed(node, evidence):
        return None
    if node is not None and node.uid is not None:
        return node
    return _born(turn, node or Node(), sighting, evidence)


def is_suppressed(node: Node, evidence: Evidence) -> bool:
    """Whether the evidence is covered by an erasure."""
    return evidence.occurred_at <= node.erased_at


def decisions_at_birth(key: IdentifierKey, node: Node) -> Content:
    """What a new cluster takes over from the node that it is born from: decisions, and the time of an erasure."""
    return Content(
        apart={pair(key, other): decision for other, decision in node.apart.items()},
        not_before={key: node.erased_at} if node.erased_at >= 0 else {},
    )


def incarnation(event_id: EventId, version: int) -> str:
    """What makes each birth of an identifier a birth of its own."""
    return f"{event_id}|{version}"


def _born(turn: Turn, node: Node, sighting: Sighting, evidence: Evidence) -> Node:
    key, version = sighting.key, node.version + 1
    uid = mint(evidence.received_at, incarnation(evidence.event_id, version), key)
    born = replace(
        node,
        uid=uid,
        version=version,
        born=version,
        history=(Assignment(uid, evidence.received_at, Cause("born", evidence.event_id, evidence.received_at)),),
    )
    if turn.cluster(uid) is None:
        member = Member(version, sighting.namespace, sighting.value, evidence.occurred_at)
        turn.put_cluster(uid, Cluster("live", replace(decisions_at_birth(key, node), members={key: member})))
    turn.put_node(key, born)
    turn.record(Mapped(key, uid, version))
    return born


def born_now(before: Node | None, node: Node) -> bool:
    """Whether this message gave the identifier its person."""
    return before is None or before.uid is None
