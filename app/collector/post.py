"""What a request holds: its messages, still as they came, and how one of them becomes a canonical event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, Self

import msgspec

from app.collector.channels import Intake
from app.web import Refusal
from models import foreign
from models.edge import Summary
from models.event import Rejected
from models.segment import Envelope, Table
from models.sensors import Parting
from models.surrogates import mended

EVENTS_MAX = 100_000
"""Of one request. A body of 4 MB that is full of real events has fewer."""
EVENT_BYTES_MAX = 32 * 1024

Raw = bytes | msgspec.Raw


class _Frame(msgspec.Struct, omit_defaults=True):
    kind: str | None = None
    sent_at: Any = None
    context: Table = {}


@dataclass(frozen=True)
class Frame:
    """What a request says of all its messages; `kind` is the type of message that its address says."""

    kind: str | None = None
    envelope: Envelope = field(default_factory=Envelope)

    @cached_property
    def kept(self) -> bytes:
        """The frame as a refused message keeps it, so that it can be read once more; empty where it says nothing.

        A context beyond the size of an event is left out: with it no message was or will be taken.
        """
        context = self.envelope.context if len(msgspec.json.encode(self.envelope.context)) <= EVENT_BYTES_MAX else {}
        told = msgspec.json.encode(_Frame(self.kind, self.envelope.sent_at, context))
        return b"" if told == b"{}" else told

    @classmethod
    def of(cls, kept: str) -> Self:
        """The frame that was kept; one that says nothing of what cannot be read."""
        told = foreign.part(_FRAME, kept.encode(), _Frame())
        return cls(told.kind, Envelope(told.context, told.sent_at))


_FRAME = msgspec.json.Decoder(_Frame)


class Conversion(Protocol):
    """The canonical JSON of a message, or what it asks; `by_chance` is the id of an event that has neither id nor time."""

    def __call__(self, raw: bytes, frame: Frame, intake: Intake, by_chance: str) -> bytes | Parting | Summary | Rejected: ...


@dataclass(frozen=True, slots=True)
class Post:
    """The messages of a request; `protocol` is how they are read, `write_key` None = the body has none."""

    protocol: str
    messages: Sequence[Raw]
    write_key: object
    frame: Frame = Frame()
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
