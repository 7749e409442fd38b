"""What identity actors say to one another: the whole protocol, one struct a message.

Two kinds of actor share the inbox with journeys: a *node* for each identifier, which knows the uid of its person, and a
*cluster* for each uid, which holds the members and the links between them. A message goes to one actor; `address` names its
row, and the row's route places both. Everything a handler needs to know of the outside (times, requests, the guards' policy)
comes in a message, so the same log gives the same rows.

| to      | message        | identity.md | says                                                                  |
|---------|----------------|-------------|-----------------------------------------------------------------------|
| node    | Occurred       | EVT         | an event happened; this identifier is its anchor                      |
| node    | LinkNode       | NLINK       | this identifier was seen with another, known in that cluster          |
| node    | Relabel        | RELABEL     | the cluster that has you in custody since this version                |
| node    | Unlink         | UNLINK      | an operator: these two are not one person                             |
| node    | Relink         | RLINK       | an operator: these two are one person                                 |
| node    | Erase          | ERASE       | an operator: forget the person who has this identifier                |
| node    | NodeErased     | NERASE      | your person was erased                                                |
| node    | Shared         | SHARED      | you were refused too often: take no new links                         |
| node    | RefuseNode     | -           | a refusal looks for the cluster that holds you                        |
| node    | Forget         | -           | the other end of a refused link was erased: begin anew with it        |
| cluster | Deliver        | CEVT        | pass this event of your member to the journey                         |
| cluster | Link           | LINK        | your member and that one belong together                              |
| cluster | Propose        | PROPOSE     | a younger cluster asks to be absorbed, with all it holds              |
| cluster | Accept         | ACCEPT      | you were absorbed                                                     |
| cluster | Reject         | REJECT      | you were not, for good                                                |
| cluster | Retry          | RETRY       | you asked the wrong one                                               |
| cluster | Apart          | CAPART      | the newest decision about a pair of your member                       |
| cluster | Lift           | CLIFT       | the pair may be together again: link it                               |
| cluster | EraseCluster   | CERASE      | forget this person                                                    |
| cluster | Spawn          | SPAWN       | begin, with the members that left another cluster                     |
| cluster | Refuse         | -           | record that this link of your member was refused                      |
| cluster | ForgetRefusal  | -           | drop the refusal of this link, if it is from before the erasure       |
| cluster | Confirm        | -           | one step that a request waits for is visible                          |
| request | Answer         | -           | how an operator's request goes                                        |
| policy  | SetPolicy      | -           | the guards changed                                                    |
"""

import msgspec

from models.identity.addresses import POLICY_KEY as POLICY_KEY
from models.identity.addresses import cluster_address as cluster_address
from models.identity.addresses import node_address as node_address
from models.identity.addresses import request_address as request_address
from models.identity.policy import Policy
from models.identity.values import Ask, Bond, Cause, Content, Decision, Refusal, RequestState, Sighting, Version, pair
from models.ids import EventId, IdentifierKey, UnifiedUserId


class ToNode(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A message to the actor of one identifier."""

    key: IdentifierKey


class ToCluster(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A message to the actor of one uid."""

    uid: UnifiedUserId


class Occurred(ToNode, frozen=True):
    """An event happened; `key` is its anchor, the first of `identifiers`. `body` is the event, for the journey alone."""

    event_id: EventId
    occurred_at: int
    received_at: int
    channel: str
    identifiers: tuple[Sighting, ...]
    body: bytes = b""
    detours: int = 0


class LinkNode(ToNode, frozen=True):
    """`bond.near` is this node; `bond.far` was last known in the cluster `far_uid`. `barred`: why they may not be linked."""

    bond: Bond
    far_uid: UnifiedUserId
    barred: Refusal | None = None
    detours: int = 0


class Relabel(ToNode, frozen=True):
    """The identifier is in the custody of `uid` since `version`; an older one says nothing new."""

    uid: UnifiedUserId
    version: int
    cause: Cause
    ask: Ask | None = None


class Unlink(ToNode, frozen=True):
    """An operator keeps `key` and `other` apart; always addressed to the smaller key, the home of the pair."""

    other: IdentifierKey
    version: Version
    detours: int = 0


class Relink(ToNode, frozen=True):
    """An operator's link of `near` (this node, the smaller key) and `far`: lifts an unlink and links the two."""

    near: Sighting
    far: Sighting
    version: Version
    detours: int = 0


class Erase(ToNode, frozen=True):
    """An operator erases the person who has this identifier; events up to `at` do not bring it back."""

    request_id: str
    at: int
    detours: int = 0


class NodeErased(ToNode, frozen=True):
    """The person who held this identifier with `version` was erased."""

    version: int
    erased_at: int
    ask: Ask | None = None


class Shared(ToNode, frozen=True):
    """The identifier, held with `version`, belongs to many: new links of it are refused."""

    version: int


class RefuseNode(ToNode, frozen=True):
    """A refusal on its way to whoever holds `key`."""

    other: IdentifierKey
    refusal: Refusal
    detours: int = 0


class Forget(ToNode, frozen=True):
    """`other`, with which a link was refused, was erased; what comes later is another person's."""

    other: IdentifierKey
    erased_at: int


class Deliver(ToCluster, frozen=True):
    """An event of the member `anchor`, to be passed to the journey of its holder."""

    anchor: Sighting
    event_id: EventId
    occurred_at: int
    received_at: int
    channel: str
    body: bytes = b""
    detours: int = 0


class Link(ToCluster, frozen=True):
    """`bond.near` is ours, `bond.far` was last known in `far_uid`: they belong together."""

    bond: Bond
    far_uid: UnifiedUserId
    detours: int = 0


class Propose(ToCluster, frozen=True):
    """The younger `proposer` is frozen and offers its content, because of the bond of its `near` with our `far`."""

    proposer: UnifiedUserId
    number: int
    bond: Bond
    content: Content


class Accept(ToCluster, frozen=True):
    """Proposal `number` was absorbed by `by`, whose content `survivor` holds now."""

    number: int
    survivor: UnifiedUserId
    by: UnifiedUserId


class Reject(ToCluster, frozen=True):
    """Proposal `number` was refused; without a refusal because its evidence is older than an erasure."""

    number: int
    refusal: Refusal | None


class Retry(ToCluster, frozen=True):
    """Proposal `number` came to one who does not hold the other end; `hint` is where that may be."""

    number: int
    hint: UnifiedUserId | None


class Apart(ToCluster, frozen=True):
    """The newest decision about the pair of the member `key` and `other`, `key` being the smaller."""

    key: IdentifierKey
    other: IdentifierKey
    decision: Decision
    detours: int = 0


class Lift(ToCluster, frozen=True):
    """An operator's link of the member `near` and `far`: the pair is free again, link it."""

    near: Sighting
    far: Sighting
    version: Version
    detours: int = 0


class EraseCluster(ToCluster, frozen=True):
    """Forget the person who holds `key`."""

    key: IdentifierKey
    request_id: str
    at: int
    detours: int = 0


class Spawn(ToCluster, frozen=True):
    """Begin with `content`, which a split took out of another cluster."""

    content: Content
    cause: Cause
    ask: Ask | None = None


class Refuse(ToCluster, frozen=True):
    """Record that the link of the member `key` with `other` was refused."""

    key: IdentifierKey
    other: IdentifierKey
    refusal: Refusal
    detours: int = 0


class ForgetRefusal(ToCluster, frozen=True):
    """The link of the member `key` with `other` may be tried again, if it was refused for evidence up to `erased_at`."""

    key: IdentifierKey
    other: IdentifierKey
    erased_at: int
    detours: int = 0


class Confirm(ToCluster, frozen=True):
    """The step `name` (an identifier relabelled or erased, a uid merged), which the request waits for, is visible."""

    request_id: str
    name: str


class Answer(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """How the request goes; the first answer that is not `accepted` stands. Placed by the request's id."""

    request_id: str
    state: RequestState
    detail: str = ""


class SetPolicy(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The guards from here on, in one partition; one message to each. An older version says nothing new."""

    partition: int
    policy: Policy
    version: int


NodeMessage = Occurred | LinkNode | Relabel | Unlink | Relink | Erase | NodeErased | Shared | RefuseNode | Forget
Deferred = Link | Propose | Apart | Lift | EraseCluster | Refuse | ForgetRefusal
"""What waits while a cluster is frozen."""
ClusterMessage = Deferred | Deliver | Accept | Reject | Retry | Spawn | Confirm
IdentityMessage = NodeMessage | ClusterMessage | Answer | SetPolicy


def address(message: IdentityMessage) -> str:
    """The row that a message is for: `n|<key>`, `c|<uid>`, `r|<request id>`, or `p|`, placed by `SetPolicy.partition`."""
    if isinstance(message, ToCluster):
        return "c|" + message.uid
    if isinstance(message, ToNode):
        return "n|" + message.key
    if isinstance(message, Answer):
        return request_address(message.request_id)
    return POLICY_KEY


def unlink(a: IdentifierKey, b: IdentifierKey, version: Version) -> Unlink:
    """An operator's unlink, addressed to the home of the pair."""
    return Unlink(*pair(a, b), version)


def relink(a: Sighting, b: Sighting, version: Version) -> Relink:
    """An operator's link, addressed to the home of the pair."""
    near, far = (a, b) if a.key < b.key else (b, a)
    return Relink(near.key, near, far, version)
