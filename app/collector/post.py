"""What a request holds: its messages, still as they came, and how one of them becomes a canonical event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from app.collector.channels import Intake
from app.web import Refusal
from models.event import Rejected
from models.sensors import Parting
from models.surrogates import mended

EVENTS_MAX = 100_000
"""Of one request. A body of 4 MB that is full of real events has fewer."""
EVENT_BYTES_MAX = 32 * 1024

Raw = bytes | msgspec.Raw


class Conversion(Protocol):
    """The canonical JSON of a message, or what it asks; `by_chance` is the id of an event that has neither id nor time."""

    def __call__(self, raw: bytes, intake: Intake, by_chance: str) -> bytes | Parting | Rejected: ...


@dataclass(frozen=True, slots=True)
class Post:
    """The messages of a request and how they are read; `write_key` None = the body has none."""

    protocol: str
    messages: Sequence[Raw]
    canonical: Conversion
    write_key: object
    unpacked_bytes: int = 0
    """What the messages take beside the body, when they were packed inside it."""


Read = Callable[[bytes], Post]


def limited(messages: Sequence[Raw]) -> Sequence[Raw]:
    """The messages of a batch. Raises `Refusal` (too_large) when they are too many."""
    if len(messages) > EVENTS_MAX:
        raise Refusal("too_large", f"a request has at most {EVENTS_MAX} events; send fewer at once")
    return messages


def lone(raw: bytes) -> bytes:
    """The one message of a request. Raises `Refusal` (too_large) when it is over the limit."""
    if len(raw) > EVENT_BYTES_MAX:
        raise Refusal("too_large", f"an event has at most {EVENT_BYTES_MAX} bytes")
    return raw


def decoded(decoder: msgspec.json.Decoder[Any], body: bytes, wanted: str) -> Any:
    """A body as `decoder` wants it. Raises `Refusal` (bad_request), which says what is `wanted`."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Refusal("bad_request", wanted) from error
    except RecursionError as error:
        raise Refusal("bad_request", "the body is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        whole = mended(body)
        if whole == body:
            raise Refusal("bad_request", f"the body is not JSON in UTF-8; {wanted}") from error
    return decoded(decoder, whole, wanted)
