"""Finding who holds an identifier.

A message for a member may reach a cluster that holds it no more. It then follows the member's trail: to the elder that
absorbed the cluster, to where the member departed, or back to the identifier's node, which knows the newest holder. A
trail ends, since each hand-over was written on it before anything was sent along.
"""

from typing import assert_never

from msgspec.structs import replace

from models.identity.messages import (
    Apart,
    Deliver,
    Erase,
    EraseCluster,
    Forget,
    ForgetRefusal,
    Lift,
    Link,
    LinkNode,
    NodeMessage,
    Occurred,
    Refuse,
    RefuseNode,
    Relink,
    Unlink,
)
from models.identity.outcome import Wandering
from models.identity.rows import Cluster
from models.identity.turn import Turn
from models.ids import IdentifierKey

ForMember = Deliver | Link | Apart | Lift | EraseCluster | Refuse | ForgetRefusal
DETOURS_MAX = 8
"""How often a message may be sent on in search of who holds its identifier before somebody is told; it goes on after that.
`detours` counts it in every message that concerns one member."""


def held(turn: Turn, key: IdentifierKey, message: ForMember) -> Cluster | None:
    """The addressed cluster if it holds `key`; otherwise the message is sent on and there is nothing to do here."""
    row = turn.cluster(message.uid)
    if row is not None and has_custody(row, key):
        return row
    onward = replace(message, detours=message.detours + 1)
    if onward.detours > DETOURS_MAX:
        turn.record(Wandering(key, message.uid, onward.detours))
    if row is not None and row.into is not None:
        turn.send(replace(onward, uid=row.into))
    elif row is not None and key in row.content.departed:
        turn.send(replace(onward, uid=row.content.departed[key].uid))
    else:
        turn.send(back_to_node(onward))
    return None


def has_custody(row: Cluster, key: IdentifierKey) -> bool:
    """Whether the cluster speaks for the identifier."""
    return key in row.content.members


def back_to_node(message: ForMember) -> NodeMessage:
    """What the node is told, so that it says the same again to the newest holder."""
    match message:
        case Deliver(_, anchor, event_id, occurred_at, received_at, channel, body, detours):
            return Occurred(anchor.key, event_id, occurred_at, received_at, channel, (anchor,), body, detours)
        case Link(_, bond, far_uid, detours):
            return LinkNode(bond.near.key, bond, far_uid, detours=detours)
        case Apart(_, key, other, decision, detours):
            return Unlink(key, other, decision.version, detours)
        case Lift(_, near, far, version, detours):
            return Relink(near.key, near, far, version, detours)
        case EraseCluster(_, key, request_id, at, detours):
            return Erase(key, request_id, at, detours)
        case Refuse(_, key, other, refusal, detours):
            return RefuseNode(key, other, refusal, detours)
        case ForgetRefusal(_, key, other, erased_at):
            return Forget(key, other, erased_at)
        case _:
            assert_never(message)
