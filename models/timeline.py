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


def lies_within(event: Event, since: int | None, before: int | None, after: Place | None, descending: bool) -> bool:
    """Whether an event stands at or after `since`, before `before`, and behind the place `after` in the order of the walk."""
    if (since is not None and event.occurred_at < since) or (before is not None and event.occurred_at >= before):
        return False
    if after is None:
        return True
    at = (after.occurred_at, after.event_id)
    return place_of(event) < at if descending else place_of(event) > at


def joined(
    stored: Sequence[Event], after: Place | None, others: Sequence[Event], limit: int, *, descending: bool
) -> tuple[list[Event], Place | None]:
    """A page of stored events together with others that are not stored, and the place behind which the next page begins.

    `after`: where the stored events go on, None = they end with this page. The others are all that lie on this page or
    behind it, in any order; one that meanwhile is stored shows once.
    """
    within = [event for event in others if after is None or not lies_within(event, None, None, after, descending)]
    events = merged([sorted(within, key=place_of, reverse=descending), stored], descending=descending)
    if len(events) <= limit:
        return events, after
    last = events[limit - 1]
    return events[:limit], Place(last.occurred_at, last.event_id)


def cursor(place: Place) -> str:
    """A place as opaque text for a URL."""
    return urlsafe_b64encode(msgspec.msgpack.encode(place)).rstrip(b"=").decode()


def place(text: str) -> Place:
    """The place of a cursor; ValueError if it is not one of ours."""
    try:
        found = msgspec.msgpack.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Place)
    except (ValueError, msgspec.DecodeError) as error:
        raise ValueError("not a cursor of this service") from error
    if found.occurred_at < 0 or cursor(found) != text:
        raise ValueError("not a cursor of this service")
    return found
