"""Pages of a timeline: which events are wanted, several timelines as one, and the cursor that carries a walk on.

A cursor says behind which place the next page begins, not how many were seen; so a walk meets every event once, whatever
arrives meanwhile.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence

import msgspec

from models.event import Event
from models.journey.summary import Place


class Filter(msgspec.Struct, frozen=True):
    """Empty = all."""

    channels: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()

    def lets_through(self, event: Event) -> bool:
        """Whether an event is wanted."""
        channel = not self.channels or event.channel in self.channels
        return channel and (not self.events or event.event in self.events)


def place_of(event: Event) -> tuple[int, str]:
    """By what a journey is ordered."""
    return event.occurred_at, event.event_id


def merged(timelines: Iterable[Sequence[Event]], *, descending: bool = False) -> list[Event]:
    """Several ordered timelines as one; an event that is in two of them (it is just moving) shows once."""
    found = list(timelines)
    if len(found) == 1:
        return list(found[0])
    once = {event.event_id: event for timeline in found for event in timeline}
    return sorted(once.values(), key=place_of, reverse=descending)


def cursor(place: Place) -> str:
    """A place as opaque text for a URL."""
    return urlsafe_b64encode(msgspec.msgpack.encode(place)).rstrip(b"=").decode()


def place(cursor: str) -> Place:
    """The place of a cursor; ValueError if it is not one of ours."""
    try:
        return msgspec.msgpack.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=Place)
    except (ValueError, msgspec.DecodeError) as error:
        raise ValueError("not a cursor of this service") from error
