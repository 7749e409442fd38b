"""Who is one person: a distributed, incremental union-find over identifiers.

`handle` is all of it: a message and the rows it may read give rows to write and messages to send. No I/O, clock
or randomness, so the same log always gives the same persons. A message twice changes nothing the second time.
"""

from collections.abc import Callable
from typing import Any

from models.identity import cluster, handshake, messages, node
from models.identity.messages import Answer, IdentityMessage, SetPolicy, request_address
from models.identity.outcome import Outcome
from models.identity.rows import PolicyRow, Request
from models.identity.turn import Read, Turn

__all__ = ["Outcome", "Read", "handle"]


def set_policy(turn: Turn, message: SetPolicy) -> None:
    """The guards from here on; tightening them parts nobody."""
    if message.version > turn.policy_row().version:
        turn.put_policy(PolicyRow(message.policy, message.version))


def answer(turn: Turn, message: Answer) -> None:
    """What a request's row says from here on; an end is an end."""
    row = turn.read(request_address(message.request_id))
    assert row is None or isinstance(row, Request)
    if row is None or (row.state == "accepted" and message.state != "accepted"):
        turn.outcome.rows[request_address(message.request_id)] = Request(message.state, message.detail)


HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    messages.Occurred: node.occurred,
    messages.LinkNode: node.link_node,
    messages.Relabel: node.relabel,
    messages.Unlink: node.unlink,
    messages.Relink: node.relink,
    messages.Erase: node.erase,
    messages.NodeErased: node.node_erased,
    messages.Shared: node.shared,
    messages.RefuseNode: node.refuse_node,
    messages.Forget: node.forget,
    messages.Deliver: cluster.deliver,
    messages.Link: cluster.link,
    messages.Propose: handshake.propose,
    messages.Accept: handshake.accept,
    messages.Reject: handshake.reject,
    messages.Retry: handshake.retry,
    messages.Apart: cluster.apart,
    messages.Lift: cluster.lift,
    messages.EraseCluster: cluster.erase_cluster,
    messages.Spawn: cluster.spawn,
    messages.Refuse: cluster.refuse,
    messages.ForgetRefusal: cluster.forget_refusal,
    messages.Confirm: cluster.confirm,
    messages.Answer: answer,
    messages.SetPolicy: set_policy,
}


def handle(message: IdentityMessage, read: Read) -> Outcome:
    """What comes of one message. `read` gives a row of the message's own partition by its address, or None.

    `rows` are to be written all or none. Besides the addressed row there may be the row of a cluster born in this
    turn, which lies in the same partition.
    """
    turn = Turn(read)
    HANDLERS[type(message)](turn, message)
    for waited in turn.again:
        HANDLERS[type(waited)](turn, waited)
    return turn.outcome
