"""The verdict on each message of a request, by the same pure rules as in the workers: a record for its channel, or for
`behaviour.rejected` with the raw bytes.

A long batch is judged in pieces, so that other requests are not kept waiting by it.
"""

import asyncio
import secrets
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from app import clock
from app.collector.channels import Intake
from app.collector.post import EVENT_BYTES_MAX, Post
from app.collector.sink import RECORD_BYTES_MAX
from app.rejection import Origin, rejection
from app.runtime.durable import Record
from models.display import rfc3339
from models.event import Reason, Rejected
from models.parse import Position, parse

PIECE = 100
"""So many messages are judged, some milliseconds, before others get their turn."""

_NOWHERE = Position("", -1, -1)
_TOO_LARGE = Rejected("too_large", f"an event has at most {EVENT_BYTES_MAX} bytes")


@dataclass(slots=True)
class Judged:
    """The records that a request becomes, and what was refused: its index and why."""

    records: list[Record] = field(default_factory=list)
    rejected: list[tuple[int, Reason]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """How many messages are events."""
        return len(self.records) - len(self.rejected)


class Judge:
    """Judges messages. `rejected_topic` is the full name of behaviour.rejected; times in it are shown in `zone`."""

    def __init__(self, rejected_topic: str, zone: ZoneInfo) -> None:
        self._rejected_topic = rejected_topic
        self._zone = zone

    async def judge(self, post: Post, intake: Intake) -> Judged:
        """A record for every message of a request."""
        judged = Judged()
        at_ms = clock.now_ms()
        chance = secrets.token_hex(16)
        for index, message in enumerate(post.messages):
            if index % PIECE == PIECE - 1:
                await asyncio.sleep(0)
            raw = bytes(message)
            event = _event(post, raw, intake, f"{chance}-{index}", at_ms)
            if isinstance(event, Rejected):
                judged.rejected.append((index, event.reason))
                judged.records.append(self._refusal(event, post, raw, intake, at_ms))
            else:
                judged.records.append(Record(intake.topic, None, event))
        return judged

    def _refusal(self, why: Rejected, post: Post, raw: bytes, intake: Intake, at_ms: int) -> Record:
        origin = Origin(f"collector:{intake.name}", -1, -1)
        kept = raw[:RECORD_BYTES_MAX]
        record = rejection(self._rejected_topic, why, origin, rfc3339(at_ms, self._zone), kept)
        cut = (("cut", str(len(raw)).encode()),) if len(kept) < len(raw) else ()
        return record._replace(headers=(*record.headers, ("protocol", post.protocol.encode()), *cut))


def _event(post: Post, raw: bytes, intake: Intake, by_chance: str, at_ms: int) -> bytes | Rejected:
    """The canonical event, as the workers will read it; or why it is none."""
    if len(raw) > EVENT_BYTES_MAX:
        return _TOO_LARGE
    event = post.canonical(raw, intake, by_chance)
    if isinstance(event, Rejected):
        return event
    verdict = parse(event, intake.policy, _NOWHERE, at_ms)
    return verdict if isinstance(verdict, Rejected) else event
