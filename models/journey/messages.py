"""What journeys hear: from the cluster of their uid, and from one another while events move.

A journey that has to give events away sends them in slices and keeps them until each slice is taken, so that they are seen on
one side or on both, never on none. Every message may come twice.
"""

import msgspec

from models.ids import IdentifierKey, UnifiedUserId
from models.journey.summary import EMPTY, Place, Summary
from models.journey_messages import EventPlaced, JourneyClosed, JourneyErased, JourneySplit, Moved, ToJourney


class Placed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event in a slice: its anchor and its encoded form."""

    anchor: IdentifierKey
    body: bytes
    told: bool = False
    """It is a repeated click, and was reported as such."""


class Slice(ToJourney, frozen=True):
    """Events that `source` gives away. `versions`: the custody with which their anchors are held here; `moved`: where
    `source` knew other anchors to be; `done`: hand-overs that it had received in full. After the `last` one it is empty;
    that one brings `aged`, what is counted but listed no more."""

    source: UnifiedUserId
    part: str
    events: tuple[Placed, ...]
    versions: dict[IdentifierKey, int]
    moved: dict[IdentifierKey, Moved] = msgspec.field(default_factory=dict)
    done: tuple[str, ...] = ()
    last: bool = False
    aged: Summary = EMPTY
    listed_since: int | None = None
    not_before: dict[IdentifierKey, int] = msgspec.field(default_factory=dict)
    """Anchors that were born again after an erasure, as far as `source` knew, with its time."""


class SliceTaken(ToJourney, frozen=True):
    """The journey that now has the events of slice `part` says so."""

    part: str


class SweepOn(ToJourney, frozen=True):
    """A journey tells itself to go on with sweep `number`; other people's messages come between two steps."""

    number: int


class Parted(ToJourney, frozen=True):
    """The journey that `fragment` left has handed over all of its events."""

    fragment: UnifiedUserId


class Age(ToJourney, frozen=True):
    """What occurred before (UTC milliseconds) is to leave the timeline."""

    before: int


class Rejudge(ToJourney, frozen=True):
    """The clicks of a subject are to be compared again, from a place on, and beyond `until` as far as anything changes."""

    subject: str
    since: Place
    until: Place | None = None
    """None = `since`."""


class RetentionDue(ToJourney, frozen=True):
    """To a partition: what occurred before (UTC milliseconds) is to leave all timelines that come behind that of `uid`.

    A timer sends it with an empty uid; from there the partition goes on by itself.
    """

    before: int


ToOne = EventPlaced | JourneyClosed | JourneySplit | JourneyErased | Slice | SliceTaken | SweepOn | Parted | Age | Rejudge
JourneyMessage = ToOne | RetentionDue


def parted(fragment: UnifiedUserId) -> str:
    """What stands in a header's `done` when the events of a fragment have arrived."""
    return f"parted {fragment}"
