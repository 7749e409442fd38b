"""Events and messages for journeys, written in a word or two."""

import msgspec

from models.clicks import Click
from models.event import Event
from models.ids import EventId, Identifier, IdentifierKey, UnifiedUserId
from models.journey.messages import Placed
from models.journey_messages import EventPlaced

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Event).decode


def made(
    event_id: str,
    at: int,
    *,
    received: int = 0,
    name: str = "page_viewed",
    channel: str = "web",
    person: str = "ann",
    traits: object = None,
    stage: str | None = None,
    duration: int | None = None,
    properties: object = None,
    context: object = None,
    click: str | None = None,
) -> Event:
    """An event of a person who is known by one user_id."""
    return Event(
        EventId(event_id),
        name,
        channel,
        at,
        received or at,
        (Identifier("user_id", person),),
        properties=msgspec.json.encode(properties or {}),
        traits=msgspec.json.encode(traits or {}),
        context=msgspec.json.encode(context or {}),
        stage=stage,
        duration_ms=duration,
        click=None if click is None else Click(click, "behaviour.web", 0, at, b"{}"),
    )


def placed(uid: str, event: Event, anchor: str = "k", version: int = -1) -> EventPlaced:
    """The cluster of a uid, which holds the anchor with a custody version, passes an event to its journey."""
    times = event.occurred_at, event.received_at
    return EventPlaced(UnifiedUserId(uid), IdentifierKey(anchor), event.event_id, *times, encode(event), version)


def carried(event: Event, anchor: str = "k") -> Placed:
    """An event as a slice carries it."""
    return Placed(IdentifierKey(anchor), encode(event))
