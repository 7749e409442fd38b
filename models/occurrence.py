"""An accepted event becomes the message to the node of its anchor."""

from functools import lru_cache

import msgspec

from models.event import Event
from models.identity.messages import Occurred
from models.identity.values import Sighting
from models.ids import Identifier, key_of
from models.policy import REMEMBERED, REMEMBERED_AT_ONCE

_encode = msgspec.msgpack.Encoder().encode


def occurred(event: Event, secret: bytes) -> Occurred:
    """The event with the keys of its identifiers; the event itself travels encoded, for the journey alone."""
    sighted = _remembered if len(event.identifiers) <= REMEMBERED_AT_ONCE else _sightings
    sightings = sighted(secret, event.identifiers)
    return Occurred(
        sightings[0].key,
        event.event_id,
        event.occurred_at,
        event.received_at,
        event.channel,
        sightings,
        _encode(event),
    )


def _sightings(secret: bytes, identifiers: tuple[Identifier, ...]) -> tuple[Sighting, ...]:
    return tuple(Sighting(key_of(secret, one), one.namespace, one.value) for one in identifiers)


_remembered = lru_cache(maxsize=REMEMBERED)(_sightings)
"""An HMAC costs some microseconds, and the same identifiers come again and again."""
