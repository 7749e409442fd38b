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
from models.identity.rows import Cluster
from models.identity.turn import Turn
from models.ids import IdentifierKey

ForMember = Deliver | Link | Apart | Lift | EraseCluster | Refuse


def held(turn: Turn, key: IdentifierKey, message: ForMember) -> Cluster | None:
    """The addressed cluster if it holds `key`; otherwise the message is sent on and there is nothing to do here."""
    row = turn.cluster(message.uid)
    if row is None:
        turn.send(back_to_node(message))
    elif row.into is not None:
        turn.send(replace(message, uid=row.into))
    elif has_custody(row, key):
        return row
    elif key in row.content.departed:
        turn.send(replace(message, uid=row.content.departed[key].uid))
    else:
        turn.send(back_to_node(message))
    return None


def has_custody(row: Cluster, key: IdentifierKey) -> bool:
    """Whether the cluster speaks for the identifier."""
    return key in row.content.members


def back_to_node(message: ForMember) -> NodeMessage:
    """What the node is told, so that it says the same again to the newest holder."""
    match message:
        case Deliver(_, anchor, event_id, occurred_at, received_at, channel, body):
            return Occurred(anchor.key, event_id, occurred_at, received_at, channel, (anchor,), body)
        case Link(_, bond, far_uid):
            return LinkNode(bond.near.key, bond, far_uid)
        case Apart(_, key, other, decision):
            return Unlink(key, other, decision.version)
        case Lift(_, near, far, version):
            return Relink(near.key, near, far, version)
        case EraseCluster(_, key, request_id, at):
            return Erase(key, request_id, at)
        case Refuse(_, key, other, refusal):
            return RefuseNode(key, other, refusal)
        case _:
            assert_never(message)
