"""The record of what was turned away: the raw bytes as they came, with the reason and the place in its headers."""

from typing import NamedTuple

from app.runtime.durable import Record
from models.event import Rejected

EVENT_ID = "event_id"
"""The last header of a record that a stage turned away: the id of its event."""
NOWHERE = -1
"""The partition and offset of what did not come from Kafka, or is not there any more."""
COUNT = "count"
"""The header of a record that speaks of several: how many."""


class Origin(NamedTuple):
    """Where a record came from; a collector's topic is `collector:<channel>`, with partition and offset -1."""

    topic: str
    partition: int
    offset: int


def rejection(topic: str, rejected: Rejected, origin: Origin, at: str, raw: bytes | None) -> Record:
    """A record for `behaviour.rejected` (`topic`, its full name); `at` is RFC 3339."""
    told = {
        "reason": rejected.reason,
        "rule": rejected.rule,
        "source_topic": origin.topic,
        "source_partition": str(origin.partition),
        "source_offset": str(origin.offset),
        "at": at,
    }
    # a record without key is not allowed to be without value too, so one that came as null is kept as nothing
    return Record(topic, None, raw or b"", tuple((name, value.encode()) for name, value in told.items()))
