"""What comes of a message to a journey, beside the rows it changes in place, and the rows it may see."""

from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from models.event import Event
from models.ids import EventId, UnifiedUserId
from models.journey.messages import JourneyMessage
from models.journey.rows import Row
from models.journey_messages import EventPlaced


class Rows(Protocol):
    """The rows of one partition, as one message sees them."""

    def get(self, key: bytes) -> Row | None: ...

    def put(self, key: bytes, row: Row) -> None: ...

    def delete(self, key: bytes) -> None: ...

    def scan(self, prefix: bytes, start: bytes | None = None, limit: int = 1000) -> list[tuple[bytes, Row]]: ...


class StageEntered(msgspec.Struct, frozen=True):
    """The first time that a person reached a stage is known, or known better than before."""

    uid: UnifiedUserId
    stage: str
    entered_at: int
    event_id: EventId


@dataclass(slots=True)
class Outcome:
    """Messages to journeys, stages entered, events that came too late to be entered, clicks that only repeat others, and events
    whose id the journey had already."""

    messages: list[JourneyMessage] = field(default_factory=list)
    entered: list[StageEntered] = field(default_factory=list)
    late: list[EventPlaced] = field(default_factory=list)
    repeated: list[Event] = field(default_factory=list)
    known: list[Event] = field(default_factory=list)
