"""An accepted event becomes the message to the node of its anchor."""

from functools import lru_cache

import msgspec

from models.event import Event
from models.identity.messages import Occurred
from models.identity.values import Sighting
from models.ids import Identifier, key_of

_encode = msgspec.msgpack.Encoder().encode


def occurred(event: Event, secret: bytes) -> Occurred:
    """The event with the keys of its identifiers; the event itself travels encoded, for the journey alone."""
    sightings = _sightings(secret, event.identifiers)
    return Occurred(
        sightings[0].key,
        event.event_id,
        event.occurred_at,
        event.received_at,
        event.channel,
        sightings,
        _encode(event),
    )


@lru_cache(maxsize=50_000)
def _sightings(secret: bytes, identifiers: tuple[Identifier, ...]) -> tuple[Sighting, ...]:
    """An HMAC costs some microseconds, and the same identifiers come again and again."""
    return tuple(Sighting(key_of(secret, one), one.namespace, one.value) for one in identifiers)
