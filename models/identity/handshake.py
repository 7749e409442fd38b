"""How two clusters become one: the younger freezes and proposes, the elder decides on the joint content.

The order of uids never changes, so proposals go to strictly older clusters only: no cycle, no mutual waiting. While
frozen, a cluster acts on nothing; what comes waits. Each proposal has a number: an answer to an older one is ignored,
and an elder remembers the last number it answered (or the absorption), so that a repeated proposal changes nothing.
"""

from msgspec.structs import replace

from models.identity import policy
from models.identity.absorb import absorb
from models.identity.messages import (
    Accept,
    Confirm,
    Deferred,
    Link,
    LinkNode,
    Propose,
    Reject,
    Relabel,
    Retry,
    Shared,
)
from models.identity.outcome import Merged, Refused
from models.identity.rows import Cluster, Proposal
from models.identity.turn import Turn
from models.identity.values import NOTHING, Ask, Bond, Cause, Content, Pair, Refusal
from models.ids import UnifiedUserId
from models.journey_messages import JourneyClosed


def freeze(turn: Turn, uid: UnifiedUserId, row: Cluster, bond: Bond, elder: UnifiedUserId) -> None:
    """Offer all that is held to an elder, and wait."""
    assert elder < uid, "proposals go to older clusters only"
    frozen = replace(row, state="frozen", proposal=Proposal(elder, bond), number=row.number + 1)
    turn.put_cluster(uid, frozen)
    turn.send(Propose(elder, uid, frozen.number, bond, row.content))


def defer(turn: Turn, row: Cluster, message: Deferred) -> None:
    """Keep a message until the proposal is answered; the same one twice waits once."""
    if message not in row.pending:
        turn.put_cluster(message.uid, replace(row, pending=(*row.pending, message)))


def propose(turn: Turn, message: Propose) -> None:
    """Answer a younger cluster: absorb it, refuse it for good, or send it elsewhere. Each proposal is answered once."""
    row = turn.cluster(message.uid)
    if row is None or row.state in ("unborn", "erased"):
        not_here(turn, row, message)
    elif row.into is not None:
        turn.send(replace(message, uid=row.into))
    elif was_absorbed(row.content, message.proposer):
        by = row.content.absorbed[message.proposer].into
        turn.send(Accept(message.proposer, message.number, message.uid, by))
    elif was_answered(row.content, message):
        return
    elif row.state == "frozen":
        defer(turn, row, message)
    elif message.bond.far.key not in row.content.members:
        departure = row.content.departed.get(message.bond.far.key)
        _answered(turn, row, message)
        turn.send(Retry(message.proposer, message.number, departure.uid if departure else None))
    else:
        _decide(turn, row, message)


def accept(turn: Turn, message: Accept) -> None:
    """Absorbed: the content is the survivor's now, and so is what waited."""
    row = turn.cluster(message.uid)
    if row is None or not answers(row, message.number):
        return
    versions = {key: member.version + 1 for key, member in row.content.members.items()}
    turn.put_cluster(message.uid, Cluster("merged", NOTHING, message.survivor, number=row.number, awaiting=row.awaiting))
    turn.tell(JourneyClosed(message.uid, message.survivor, versions, row.content.not_before))
    for waited in row.pending:
        turn.send(replace(waited, uid=message.survivor))
    if row.proposal is not None and row.proposal.bond.force is not None:
        turn.send(Confirm(message.by, row.proposal.bond.force.request_id, message.uid))


def reject(turn: Turn, message: Reject) -> None:
    """Refused: remember why, and go on alone."""
    row = turn.cluster(message.uid)
    if row is None or not answers(row, message.number):
        return
    assert row.proposal is not None
    bond, refusal = row.proposal.bond, message.refusal
    turn.answer_link(bond.force, "refused", refusal.reason if refusal else "erased")
    _thaw(turn, message.uid, replace(row, content=_with_refusal(turn, row.content, bond.pair, refusal)))


def retry(turn: Turn, message: Retry) -> None:
    """The other end is not there: ask where it may be, or its node."""
    row = turn.cluster(message.uid)
    if row is None or not answers(row, message.number):
        return
    assert row.proposal is not None
    bond = row.proposal.bond
    if message.hint is not None and message.hint != message.uid:
        row = replace(row, pending=(Link(message.uid, bond, message.hint), *row.pending))
    else:
        turn.send(LinkNode(bond.far.key, bond.reversed(), message.uid))
    _thaw(turn, message.uid, row)


def answers(row: Cluster, number: int) -> bool:
    """Whether an answer is to the proposal that is out; older ones are duplicates."""
    return row.state == "frozen" and row.number == number


def was_absorbed(content: Content, proposer: UnifiedUserId) -> bool:
    """Whether the proposer is part of this content already."""
    return proposer in content.absorbed


def was_answered(content: Content, message: Propose) -> bool:
    """Whether this proposal, or a later one of the same cluster, was answered before."""
    return content.seen.get(message.proposer, 0) >= message.number


def record_refusal(turn: Turn, content: Content, pair: Pair, refusal: Refusal) -> Content:
    """The content with a refused pair; a member that limits refused too often is shared from now on."""
    known = content.refused.get(pair)
    if known is not None and not policy.outranks(refusal, known):
        return content
    refused = content.refused | {pair: refusal}
    if len(refused) > policy.REFUSED_MAX:
        del refused[next(iter(refused))]
    content = replace(content, refused=refused)
    for key in policy.newly_shared(turn.policy(), content, pair):
        member = replace(content.members[key], shared=True)
        content = replace(content, members=content.members | {key: member})
        turn.send(Shared(key, member.version))
    return content


def not_here(turn: Turn, row: Cluster | None, message: Propose) -> None:
    """The proposer must look elsewhere: the person is gone, or still on its way here.

    No answer without a row that remembers it, so one that is on its way leaves a stub.
    """
    if row is None or row.state == "unborn":
        row = row or Cluster("unborn")
        if was_answered(row.content, message):
            return
        _answered(turn, row, message)
    turn.send(Retry(message.proposer, message.number, None))


def _decide(turn: Turn, row: Cluster, message: Propose) -> None:
    elder, younger, bond = row.content, message.content, message.bond
    if policy.outdated(bond, younger, elder):
        _answered(turn, row, message)
        turn.send(Reject(message.proposer, message.number, None))
        return
    known = elder.refused.get(bond.pair)
    refusal = known if policy.sticky(known, bond.force) else policy.objection(turn.policy(), elder, younger, bond)
    if refusal is None:
        _absorb(turn, row, message)
        return
    if refusal is not known:
        row = replace(row, content=record_refusal(turn, elder, bond.pair, refusal))
        turn.record(Refused(bond.pair, refusal))
    _answered(turn, row, message)
    turn.send(Reject(message.proposer, message.number, refusal))


def _absorb(turn: Turn, row: Cluster, message: Propose) -> None:
    uid, proposer, bond = message.uid, message.proposer, message.bond
    content = absorb(row.content, message.content, uid, proposer, bond)
    row = replace(row, content=content)
    ask = None
    if bond.force is not None:
        ask = Ask(bond.force.request_id, uid)
        row = replace(row, awaiting=row.awaiting | {ask.request_id: (*message.content.members, proposer)})
    turn.put_cluster(uid, row)
    turn.send(Accept(proposer, message.number, uid, uid))
    cause = Cause("merged", bond.evidence.event_id, bond.evidence.received_at, bond.pair)
    for key in message.content.members:
        turn.send(Relabel(key, uid, content.members[key].version, cause, ask))
    turn.record(Merged(proposer, uid, bond.pair, bond.evidence))


def _answered(turn: Turn, row: Cluster, message: Propose) -> None:
    seen = row.content.seen | {message.proposer: message.number}
    turn.put_cluster(message.uid, replace(row, content=replace(row.content, seen=seen)))


def _with_refusal(turn: Turn, content: Content, pair: Pair, refusal: Refusal | None) -> Content:
    return content if refusal is None else record_refusal(turn, content, pair, refusal)


def _thaw(turn: Turn, uid: UnifiedUserId, row: Cluster) -> None:
    """Live again; what waited is handled in this turn, in order."""
    turn.put_cluster(uid, replace(row, state="live", proposal=None, pending=()))
    turn.again.extend(row.pending)
