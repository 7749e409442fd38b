"""What the stages tell the outside: keyed JSON on identity.merges, identity.map and journey.changes.

An identifier is written as its key, `namespace:` and HMAC, so that an erasure leaves nothing to be found here. A record may
be produced twice; it is then the same for the same key.
"""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any, assert_never

import msgspec

from app.clock import now_ms
from app.rejection import COUNT, EVENT_ID, NOWHERE, Origin, rejection
from app.runtime.durable import Record
from models.clicks import rule_of
from models.display import rfc3339
from models.event import Event, Rejected
from models.identity.outcome import Erased, Mapped, Merged, Output, Refused, RequestResult, Split, Suppressed, Wandering
from models.identity.values import Evidence, Pair
from models.journey.actor import decode_event
from models.journey.outcome import StageEntered
from models.journey_messages import EventPlaced

_encode = msgspec.json.Encoder().encode


def canonical(event: Event) -> dict[str, Any]:
    """An event in the form in which channels tell it."""
    identifiers: dict[str, list[str]] = {}
    for one in event.identifiers:
        identifiers.setdefault(one.namespace, []).append(one.value)
    parts = {"properties": event.properties, "traits": event.traits, "context": event.context}
    told = {"event_id": event.event_id, "event": event.event, "occurred_at": event.occurred_at, "identifiers": identifiers}
    return told | {name: msgspec.Raw(part) for name, part in parts.items()}


class Outputs:
    """Makes records of outputs on topics that begin with `prefix`; times are shown in `zone`, `topics` are those of channels."""

    def __init__(self, prefix: str, zone: tzinfo, topics: Mapping[str, str]) -> None:
        self._zone, self._topics = zone, topics
        self._merges, self._map = f"{prefix}.identity.merges", f"{prefix}.identity.map"
        self._changes, self._rejected = f"{prefix}.journey.changes", f"{prefix}.behaviour.rejected"

    def records(self, output: Output) -> Iterator[Record]:
        """The records of an output of identities; a request's result is for lookups, a long way for metrics."""
        match output:
            case Merged():
                body: dict[str, Any] = {"unified_user_id": output.survivor, "absorbed": output.absorbed}
                yield self._merge("merged", output.absorbed, body | self._because(output.pair, output.evidence))
            case Split():
                parted: dict[str, Any] = {
                    "unified_user_id": output.fragment,
                    "from": output.origin,
                    "identifiers": output.identifiers,
                }
                yield self._merge("split", output.fragment, parted | {"request_id": output.request_id, "at": self._at(output.at)})
            case Refused():
                refused: dict[str, Any] = {"identifiers": output.pair, "reason": output.refusal.reason}
                yield self._merge("refused", "|".join(output.pair), refused | self._because(output.pair, output.refusal.evidence))
            case Erased():
                gone = {"unified_user_id": output.uid, "request_id": output.request_id, "at": self._at(output.at)}
                yield self._merge("erased", output.uid, gone)
            case Mapped():
                value = None if output.uid is None else _encode({"unified_user_id": output.uid, "version": output.version})
                yield Record(self._map, output.key.encode(), value)
            case Suppressed():
                yield self._suppressed(output)
            case RequestResult() | Wandering():
                return
            case _:
                assert_never(output)

    def entered(self, output: StageEntered) -> Record:
        """The record of a stage that a person entered, or is now known to have entered earlier."""
        body = {
            "type": "stage_entered",
            "unified_user_id": output.uid,
            "stage": output.stage,
            "entered_at": self._at(output.entered_at),
            "event_id": output.event_id,
        }
        return Record(self._changes, output.uid.encode(), _encode(body))

    def late(self, event: EventPlaced) -> Record:
        """The record of an event that came after events of its time had left the journeys."""
        rule = f"occurred at {self._at(event.occurred_at)}, before the time since when journeys list events"
        return self._turned_away(Rejected("too_old", rule), event.body)

    def repeated(self, event: Event) -> Record:
        """The record of a click that only repeats another; it holds the bytes that it came as."""
        click = event.click
        assert click is not None, "only clicks are repeated"
        rejected = Rejected("repeated_click", rule_of(click.subject))
        origin = Origin(click.topic, click.partition, click.offset)
        return rejection(self._rejected, rejected, origin, self._at(event.received_at), click.raw)

    def internal(self, inbox: str, partition: int, body: bytes, offset: int, why: str) -> Record:
        """The record of a message that a stage could not handle."""
        return rejection(self._rejected, Rejected("internal", why), Origin(inbox, partition, offset), self._at(now_ms()), body)

    def expired(self, topic: str, partition: int, offset: int, count: int) -> Record:
        """The record of `count` records from `offset` on that retention deleted before they were read."""
        what_now = "run `onetrail rebuild`" if topic.endswith(".inbox") else "make retention longer, or workers more"
        rule = f"{count} records were deleted before they were read; {what_now}"
        told = rejection(self._rejected, Rejected("expired", rule), Origin(topic, partition, offset), self._at(now_ms()), b"")
        return told._replace(headers=(*told.headers, (COUNT, str(count).encode())))

    def refused(self, record: Any, why: str) -> Record:
        """The record of a raw record that could not be handled; `record` as Kafka clients give it."""
        origin = Origin(record.topic, record.partition, record.offset)
        return rejection(self._rejected, Rejected("internal", why), origin, self._at(record.timestamp), record.value)

    def _merge(self, kind: str, key: str, body: dict[str, Any]) -> Record:
        return Record(self._merges, key.encode(), _encode({"type": kind, **body}))

    def _because(self, pair: Pair, evidence: Evidence) -> dict[str, Any]:
        because = {"event_id": evidence.event_id, "identifiers": pair, "occurred_at": self._at(evidence.occurred_at)}
        return {"because": because, "at": self._at(evidence.received_at)}

    def _suppressed(self, output: Suppressed) -> Record:
        rule = f"occurred before the erasure of {output.key} at {self._at(output.erased_at)}"
        return self._turned_away(Rejected("erased", rule), output.body)

    def _turned_away(self, why: Rejected, body: bytes) -> Record:
        """The event that a stage turned away, as JSON; the bytes that it came as take its place on the way (app/originals.py)."""
        event = decode_event(body)
        origin = Origin(self._topics.get(event.channel, event.channel), NOWHERE, NOWHERE)
        record = rejection(self._rejected, why, origin, self._at(event.received_at), _encode(canonical(event)))
        return record._replace(headers=(*record.headers, (EVENT_ID, event.event_id.encode())))

    def _at(self, instant_ms: int) -> str:
        return rfc3339(instant_ms, self._zone)
