"""Events of a history that was imported: marked as such, so that whatever acts on events can leave the past alone."""

import msgspec

from models.event import Event
from models.foreign import part

MARK = "import"
"""The member of `context` that says it."""

_TABLE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode
_TRUE = msgspec.Raw(b"true")


def imported(event: Event) -> Event:
    """The event, marked."""
    context: dict[str, msgspec.Raw] = part(_TABLE, event.context, {})
    return msgspec.structs.replace(event, context=_encode({**context, MARK: _TRUE}))


def is_imported(context: bytes) -> bool:
    """Whether the context of an event says so."""
    table: dict[str, msgspec.Raw] = part(_TABLE, context, {})
    return bytes(table.get(MARK, b"")) == bytes(_TRUE)
