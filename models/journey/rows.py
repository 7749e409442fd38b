"""What a journey remembers: a header, an entry for each event, and where the entry of an event id stands.

h|<uid>                              Header
t|<uid>|<occurred_at>|<event_id>     Entry; a scan of the prefix is the journey in order
e|<uid>|<event_id>                   occurred_at of the entry: an event is known by its id, whatever time a retry gives it
k|<uid>|<subject>|<occurred_at>|<event_id>   1 for a click that counts, 0 for one that only repeats it (clicks.py)
l|<uid>|<subject>                    Latest: how the clicks of a subject end, so that the next one needs no scan
o|                                   the limit of the partition: what occurred before it is not entered any more (ageing.py)
"""

from typing import Literal

import msgspec

from models.ids import EventId, IdentifierKey, UnifiedUserId
from models.journey.summary import EMPTY, Place, Summary
from models.journey_messages import Moved

REPEAT = -1


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event of a journey: the identifier it is anchored on and the encoded event."""

    anchor: IdentifierKey
    body: bytes
    subject: str = ""
    """Of a click: what it is compared by with others."""
    repeats: int = 0
    """Of a click: how many only repeat it; REPEAT for one of these."""

    @property
    def is_repeat(self) -> bool:
        """Whether it is kept to be known, but neither shown nor counted."""
        return self.repeats == REPEAT


class Latest(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The end of the clicks of a subject: the newest one, the newest that counts, and how many repeat that."""

    newest: Place
    accepted: Place
    repeats: int


class Sweep(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A pass over the timeline that brings it into line with the header; keys before `position` are done."""

    number: int
    position: bytes
    summary: Summary = EMPTY
    """Of what stays, as far as the sweep has come."""
    until: bytes = b""
    """Behind the last key of the step whose slices are under way."""
    waiting: tuple[str, ...] = ()
    """Slices under way that were not taken yet."""


class Header(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """live: keeps events. moved: absorbed by `into`, gives all away. erased: forgets all, and what still comes."""

    state: Literal["live", "moved", "erased"] = "live"
    summary: Summary = EMPTY
    into: UnifiedUserId | None = None
    versions: dict[IdentifierKey, int] = {}
    """Of a moved journey: the custody with which its members are held by `into`."""
    moved: dict[IdentifierKey, Moved] = {}
    """Anchors whose events belong elsewhere (after a split), or here again (uid None)."""
    done: tuple[str, ...] = ()
    """Hand-overs that are complete: uids of absorbed journeys, and `parted(fragment)` of splits."""
    sweeps: int = 0
    sweep: Sweep | None = None
    fragments: tuple[UnifiedUserId, ...] = ()
    """Who left and is to hear when the sweep has given them all their events."""
    aged: Summary = EMPTY
    """Of the events that are listed no more; they are in `summary` too. They stay with this person when others part."""
    listed_since: int | None = None
    """Before it, events are counted but no longer listed; None = all are listed."""
    rested: int | None = 0
    """Ages by timers of a later limit only; None = by none but the one after the next, since events were handed over to it."""
    not_before: dict[IdentifierKey, int] = {}
    """Anchors that were born again after an erasure, with its time: their older events belong nowhere."""


Row = Header | Entry | Latest | int
TIMELINES = b"t|"
CLICKS = b"k|"
LATEST = b"l|"
LIMIT = b"o|"


def header_key(uid: UnifiedUserId) -> bytes:
    """The key of a journey's header."""
    return f"h|{uid}".encode()


def timeline(uid: UnifiedUserId) -> bytes:
    """The prefix of a journey's entries."""
    return f"t|{uid}|".encode()


def entry_key(uid: UnifiedUserId, occurred_at: int, event_id: EventId) -> bytes:
    """The key of an entry; keys of one journey compare like (occurred_at, event_id)."""
    return f"t|{uid}|{occurred_at:015d}|{event_id}".encode()


def id_key(uid: UnifiedUserId, event_id: EventId) -> bytes:
    """The key under which the time of an event id is kept."""
    return f"e|{uid}|{event_id}".encode()


def uid_of(key: bytes) -> UnifiedUserId:
    """The journey of an entry's key."""
    return UnifiedUserId(key.decode().split("|", 2)[1])


def place_of(key: bytes) -> tuple[int, EventId]:
    """(occurred_at, event_id) of an entry's key."""
    _, _, occurred_at, event_id = key.decode().split("|", 3)
    return int(occurred_at), EventId(event_id)


def clicks_of(uid: UnifiedUserId, subject: str) -> bytes:
    """The prefix of a subject's clicks."""
    return f"k|{uid}|{subject}|".encode()


def click_key(uid: UnifiedUserId, subject: str, place: Place) -> bytes:
    """The key that tells whether a click counts; those of one subject compare like places."""
    return f"k|{uid}|{subject}|{place.occurred_at:015d}|{place.event_id}".encode()


def click_place(key: bytes) -> Place:
    """Where the click of such a key stands."""
    _, _, _, occurred_at, event_id = key.decode().split("|", 4)
    return Place(int(occurred_at), EventId(event_id))


def latest_key(uid: UnifiedUserId, subject: str) -> bytes:
    """The key of the end of a subject's clicks."""
    return f"l|{uid}|{subject}".encode()
