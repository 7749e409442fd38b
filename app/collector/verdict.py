"""The verdict on each message of a request, by the same pure rules as in the workers: a record for its channel, or for
`behaviour.rejected` with the raw bytes.

A long batch is judged in pieces, so that other requests are not kept waiting by it.
"""

import asyncio
import secrets
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec

from app import clock
from app.collector.channels import Intake
from app.collector.post import EVENT_BYTES_MAX, Frame, Post
from app.collector.protocols import CONVERSIONS
from app.collector.sink import RECORD_BYTES_MAX
from app.rejection import Origin, rejection
from app.runtime.durable import Record
from app.settings import Settings
from models.arrival import as_it_came
from models.canonical import content_id
from models.display import rfc3339
from models.edge import Summary, encoded
from models.event import Reason, Rejected
from models.ids import Identifier, key_of
from models.parse import Position, parse
from models.requests import UnlinkAsked, encode
from models.sensors import Parting

PIECE = 100
"""So many messages are judged, some milliseconds, before others get their turn."""

_NO_PAIR = "an unbinding names two different identifiers, both usable"
_NOWHERE = Position("", -1, -1)
_TOO_LARGE = Rejected("too_large", f"an event has at most {EVENT_BYTES_MAX} bytes")


@dataclass(slots=True)
class Judged:
    """The records that a request becomes, and what was refused: its index and why."""

    records: list[Record] = field(default_factory=list)
    rejected: list[tuple[int, Reason]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """How many messages are events, or ask for something."""
        return len(self.records) - len(self.rejected)


class Judge:
    """Judges messages; times in `behaviour.rejected` are shown in `zone`."""

    def __init__(self, settings: Settings, zone: ZoneInfo) -> None:
        self._rejected_topic = f"{settings.prefix}.behaviour.rejected"
        self._filtered_topic = f"{settings.prefix}.edge.filtered"
        self._requests_topic = f"{settings.prefix}.requests"
        self._secret = settings.pii_key
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
            record = self._record(post, raw, intake, f"{chance}-{index}", at_ms)
            if isinstance(record, Rejected):
                judged.rejected.append((index, record.reason))
                record = self._refusal(record, post, raw, intake, at_ms)
            judged.records.append(record)
        return judged

    def _record(self, post: Post, raw: bytes, intake: Intake, by_chance: str, at_ms: int) -> Record | Rejected:
        """The canonical event, as the workers will read it, or a request; or why it is neither."""
        if len(raw) > EVENT_BYTES_MAX:
            return _TOO_LARGE
        event = self._converted(raw, post.protocol, post.frame, intake, by_chance)
        if not isinstance(event, bytes):
            return event
        verdict = parse(event, intake.policy, _NOWHERE, at_ms)
        return verdict if isinstance(verdict, Rejected) else Record(intake.topic, None, event)

    def again(self, raw: bytes, protocol: str, frame: Frame, intake: Intake, came_at_ms: int) -> Record | Rejected:
        """What becomes of a message that was refused and is sent through once more: a record, judged by whoever reads it.

        Rejected = it still is no message of its protocol. Sent through twice it is the same event.
        """
        by_chance = content_id(intake.name, b"%d %b" % (came_at_ms, raw))
        event = self._converted(raw, protocol, frame, intake, by_chance)
        if not isinstance(event, bytes):
            return event
        return Record(intake.topic, None, as_it_came(event, intake.policy.places, intake.policy.zone, came_at_ms))

    def _converted(self, raw: bytes, protocol: str, frame: Frame, intake: Intake, by_chance: str) -> bytes | Record | Rejected:
        """The canonical event of a message, or the request that it is."""
        event = CONVERSIONS[protocol](raw, frame, intake, by_chance)
        if isinstance(event, Parting):
            return self._unlink(event, raw, intake)
        if isinstance(event, Summary):
            told = encoded(msgspec.structs.replace(event, channel=intake.name))
            return Record(self._filtered_topic, event.edge.encode(), told)
        return event

    def _unlink(self, parting: Parting, raw: bytes, intake: Intake) -> Record | Rejected:
        """An unlink request; sent again it is the same request."""
        found = [intake.policy.identifier(*identifier) for identifier in parting]
        keys = sorted({key_of(self._secret, one) for one in found if isinstance(one, Identifier)})
        if len(keys) < 2:
            return next((Rejected(one, _NO_PAIR) for one in found if isinstance(one, str)), Rejected("no_identifier", _NO_PAIR))
        request_id = content_id(intake.name, raw)
        asked = UnlinkAsked(request_id, keys[0], keys[1], f"track_id_unbind in {intake.name}")
        return Record(self._requests_topic, request_id.encode(), encode(asked))

    def _refusal(self, why: Rejected, post: Post, raw: bytes, intake: Intake, at_ms: int) -> Record:
        origin = Origin(f"collector:{intake.name}", -1, -1)
        kept = raw[:RECORD_BYTES_MAX]
        record = rejection(self._rejected_topic, why, origin, rfc3339(at_ms, self._zone), kept)
        cut = (("cut", str(len(raw)).encode()),) if len(kept) < len(raw) else ()
        frame = (("frame", post.frame.kept),) if post.frame.kept else ()
        return record._replace(headers=(*record.headers, ("protocol", post.protocol.encode()), *frame, *cut))
