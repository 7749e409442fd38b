"""What an edge tells the centre of what it held back."""

from typing import Annotated

import msgspec

from models import foreign
from models.event import Rejected

REPEAT = "repeat"
"""Why an event with the id of an earlier one is held back; all other reasons are those of rejections."""

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge read in a while, and what of it was held back, by reason. Told twice it has the same `id`."""

    id: _Name
    edge: _Name
    channel: str = ""
    """Put in by the centre, which knows whose write key it was."""
    since: str
    until: str
    """RFC 3339, by the clock of the edge."""
    read: _Count
    filtered: Annotated[dict[_Name, _Count], msgspec.Meta(max_length=100)]


_SUMMARY = msgspec.json.Decoder(Summary)
_encode = msgspec.json.Encoder().encode

_NO_SUMMARY = Rejected("not_json", "a summary says id, edge, since, until, read and filtered, counts by reason")


def read(raw: bytes | msgspec.Raw) -> Summary | Rejected:
    """The summary that JSON holds."""
    found = foreign.message(_SUMMARY, raw)
    return _NO_SUMMARY if isinstance(found, Rejected) else found


def encoded(summary: Summary) -> bytes:
    """The summary as JSON."""
    return _encode(summary)
