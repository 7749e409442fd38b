"""What identity remembers: one row an identifier, one row a uid, one row a request of an operator,
one row a partition for the guards' policy.

The stamp that orders a row's writes is not here; the runtime keeps it. Rows are values: a handler makes a new one.
"""

from typing import Literal

import msgspec

from models.identity.messages import Deferred
from models.identity.policy import Policy
from models.identity.values import NOTHING, Assignment, Bond, Content, Decision, RequestState
from models.ids import IdentifierKey, UnifiedUserId

State = Literal["live", "frozen", "merged", "erased", "unborn"]


class Node(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An identifier: whose it is, and with what custody version. `uid` None: nobody's (erased, or only named by an operator)."""

    uid: UnifiedUserId | None = None
    version: int = -1
    born: int = -1
    """The version with which its present life began; an erasure ends a life."""
    linked: dict[IdentifierKey, int] = {}
    """Events counted with each other identifier, up to `policy.COUNTED_MAX`; the oldest entries give way."""
    erased_at: int = -1
    """Events that occurred up to then are suppressed; -1 when there was no erasure."""
    shared: bool = False
    apart: dict[IdentifierKey, Decision] = {}
    """The newest decision on each pair whose smaller identifier this is; outlives erasure."""
    history: tuple[Assignment, ...] = ()
    """Whose it was, in order of time; the oldest give way beyond `policy.HISTORY_MAX`."""


class Proposal(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a frozen cluster has asked, and whom."""

    elder: UnifiedUserId
    bond: Bond


class Cluster(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A uid and what it holds.

    live: acts. frozen: offered its content to an elder and waits. merged: absorbed by an elder (`into`). erased: the
    person is gone. unborn: only seen, its content is on the way. The last three hold nothing.
    """

    state: State
    content: Content = NOTHING
    into: UnifiedUserId | None = None
    proposal: Proposal | None = None
    number: int = 0
    """Of the last proposal."""
    pending: tuple[Deferred, ...] = ()
    awaiting: dict[str, tuple[str, ...]] = {}
    """Steps that a request (its id) still waits for before it is done."""


class PolicyRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The guards in force in a partition."""

    policy: Policy
    version: int


class Request(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An operator's request: how it goes, or how it ended."""

    state: RequestState
    detail: str = ""


Row = Node | Cluster | PolicyRow | Request
