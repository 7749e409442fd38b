"""What comes of a message: rows to write, messages to send, records for the outside.

Records name identifiers by key only, so that an erasure leaves nothing in them. The same record may be produced twice
(by a duplicate of its message); it is then the same for the same key: merged and split by uid, refused by pair and
version, mapped by key and version. Of a request's results the first final one counts.
"""

import msgspec

from models.identity.messages import IdentityMessage
from models.identity.rows import Row
from models.identity.values import Evidence, Pair, Refusal, RequestState
from models.ids import EventId, IdentifierKey, UnifiedUserId
from models.journey_messages import JourneyNews


class Merged(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """`absorbed` became part of the elder `survivor` because of a link; key = absorbed."""

    absorbed: UnifiedUserId
    survivor: UnifiedUserId
    pair: Pair
    evidence: Evidence


class Split(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """`identifiers` left `origin` for the fresh uid `fragment`; key = fragment."""

    fragment: UnifiedUserId
    origin: UnifiedUserId
    identifiers: tuple[IdentifierKey, ...]
    request_id: str
    at: int


class Refused(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A link was refused or cut; key = the pair."""

    pair: Pair
    refusal: Refusal


class Erased(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A person is gone; one record for the uid and one for each that it absorbed; key = uid."""

    uid: UnifiedUserId
    request_id: str
    at: int


class Mapped(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """To whom an identifier belongs now; None is the tombstone. Of several the highest version counts; key = the key."""

    key: IdentifierKey
    uid: UnifiedUserId | None
    version: int


class Suppressed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """An event from before an erasure of its anchor was turned away (reason `erased`)."""

    key: IdentifierKey
    event_id: EventId
    occurred_at: int
    erased_at: int
    body: bytes


class Wandering(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A message for `key` was sent on unusually often, last by the cluster `uid`; it goes on."""

    key: IdentifierKey
    uid: UnifiedUserId
    detours: int


class RequestResult(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """How an operator's request ended; `done` = every step of it is visible. The first that is not `accepted` counts."""

    request_id: str
    state: RequestState
    detail: str = ""


Output = Merged | Split | Refused | Erased | Mapped | Suppressed | Wandering | RequestResult


class Outcome(msgspec.Struct, gc=False):
    """What the runtime has to do for one message, all of it or nothing."""

    rows: dict[str, Row] = {}
    messages: list[IdentityMessage] = []
    journeys: list[JourneyNews] = []
    outputs: list[Output] = []
