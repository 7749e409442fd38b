"""The small facts that identity rows and messages are made of.

All are values: frozen, compared by content, written as arrays. Times are UTC milliseconds. `received_at` is log time (when
the broker appended the event), `occurred_at` is when it happened according to its sender; the first decides births and
history, the second what an erasure covers.
"""

from typing import Literal
from zlib import crc32

import msgspec

from models.ids import EventId, IdentifierKey, UnifiedUserId

Pair = tuple[IdentifierKey, IdentifierKey]
"""Two identifiers, the smaller key first: the key under which links, refusals and decisions are kept."""

SAMPLES_MAX = 3
"""Events of a link that are kept in full, as evidence."""

RefusalReason = Literal["limit", "cluster_limit", "shared", "kept_apart"]
CauseKind = Literal["born", "merged", "split"]
RequestState = Literal["accepted", "done", "refused", "superseded"]


def pair(a: IdentifierKey, b: IdentifierKey) -> Pair:
    """The one name of a pair, whichever way round it was said."""
    return (a, b) if a < b else (b, a)


class Sighting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An identifier as an event shows it; the value is needed wherever a person may be born."""

    key: IdentifierKey
    namespace: str
    value: str


class Evidence(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """One event that showed two identifiers together. For an operator's link: its request, in the channel `operator`."""

    occurred_at: int
    event_id: EventId
    channel: str
    received_at: int


class Proof(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of one link: its earliest events in full, and of others a checksum each, to count distinct ones."""

    samples: tuple[Evidence, ...]
    others: tuple[int, ...] = ()

    @property
    def events(self) -> int:
        """Distinct events, as far as they are counted."""
        return len(self.samples) + len(self.others)

    @property
    def first(self) -> Evidence:
        """The earliest."""
        return self.samples[0]

    def shows(self, event_id: EventId) -> bool:
        """Whether the event is among those counted."""
        return any(one.event_id == event_id for one in self.samples) or crc32(event_id.encode()) in self.others

    def plus(self, evidence: Evidence) -> "Proof":
        """With one more event, which is not among them yet."""
        samples = sorted((*self.samples, evidence))
        others = tuple(crc32(one.event_id.encode()) for one in samples[SAMPLES_MAX:])
        return Proof(tuple(samples[:SAMPLES_MAX]), self.others + others)


class Version(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """Orders the requests about a pair: the time of the request (broker's append time), then its id."""

    at: int
    request_id: str


NEVER = Version(-1, "")
"""Older than every request."""


def requested(version: Version) -> Evidence:
    """An operator's link as evidence, in the channel `operator`."""
    return Evidence(version.at, EventId(version.request_id), "operator", version.at)


class Bond(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why two identifiers belong together. `force` is the version of the operator's link that demands it, if one does."""

    near: Sighting
    far: Sighting
    evidence: Evidence
    force: Version | None = None

    @property
    def pair(self) -> Pair:
        """The bond's key."""
        return pair(self.near.key, self.far.key)

    def reversed(self) -> "Bond":
        """The same bond seen from its other end."""
        return Bond(self.far, self.near, self.evidence, self.force)


class Decision(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest request about a pair: kept apart (`on`), or lifted, which stays as a tombstone."""

    version: Version
    on: bool


class Refusal(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A link that was not made, or was cut; sticky until an operator's link that is newer than `version`."""

    reason: RefusalReason
    evidence: Evidence
    version: Version = NEVER
    namespace: str = ""
    """Of a `limit`: the namespace that would have had too many values."""
    kept_apart: Pair | None = None
    """Of a `kept_apart`: the pair that an operator parted."""


class Member(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An identifier in the custody of a cluster; `version` rises by one at each hand-over."""

    version: int
    namespace: str
    value: str
    first_seen: int
    shared: bool = False

    @property
    def name(self) -> str:
        """`namespace:value`, the order in which paths and ties are decided."""
        return f"{self.namespace}:{self.value}"


class Departure(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a former member went, and the custody version with which it left."""

    uid: UnifiedUserId
    version: int


class Absorption(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How an absorbed uid came here: which cluster took it, and the link that decided it."""

    into: UnifiedUserId
    pair: Pair
    evidence: Evidence


class Cause(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why an identifier belongs to a uid: the event or request, and for a merge the two identifiers it showed."""

    kind: CauseKind
    id: str
    at: int
    pair: Pair | None = None


class Assignment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """To whom an identifier belonged from `since` (log time) until the next assignment."""

    uid: UnifiedUserId
    since: int
    cause: Cause


class Ask(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request whose answer waits for this step; the confirmation goes to the cluster `uid`."""

    request_id: str
    uid: UnifiedUserId


class Content(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All that a cluster holds about its members: the token that travels whole in a merge, in parts at a split."""

    members: dict[IdentifierKey, Member] = {}
    links: dict[Pair, Proof] = {}
    """Each with its evidence, counted up to `policy.COUNTED_MAX` distinct events."""
    apart: dict[Pair, Decision] = {}
    """Lies where the smaller identifier of the pair is."""
    refused: dict[Pair, Refusal] = {}
    """Lies wherever an end of the pair is."""
    absorbed: dict[UnifiedUserId, Absorption] = {}
    departed: dict[IdentifierKey, Departure] = {}
    seen: dict[UnifiedUserId, int] = {}
    """The last proposal answered, by proposer."""
    not_before: dict[IdentifierKey, int] = {}
    """Members born again after an erasure: older evidence links nothing."""
    origins: dict[UnifiedUserId, UnifiedUserId] = {}
    """Fragment -> the uid it left, whose journey holds its events until they are handed over."""


NOTHING = Content()
