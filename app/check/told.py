"""What the topics tell, record by record, as rows of the ledger. Knows nothing of Kafka."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any

import msgspec

from app.check.ledger import RAW, REJECTED, REQUESTS, Ledger
from app.check.readers import Readers
from app.config import Config
from app.config.policies import PULLED_TOPIC
from app.reading import Reading
from app.rejection import EVENT_ID
from app.settings import Settings
from models import requests
from models.event import Event, Rejected
from models.identity.messages import Deliver, Occurred
from models.identity.values import pair
from models.journey_messages import EventPlaced
from models.occurrence import occurred

NAMES_REMEMBERED = 200_000
_KINDS = {requests.LinkAsked: "link", requests.UnlinkAsked: "unlink", requests.ErasureAsked: "erasure"}
_merge = msgspec.json.Decoder(dict[str, Any]).decode
_turned_away: Sequence[Callable[[bytes], Any]] = (
    msgspec.msgpack.Decoder(Event).decode,
    msgspec.msgpack.Decoder(Occurred | Deliver | EventPlaced).decode,
)


def digest(body: bytes) -> int:
    """64 bits of an event's encoded form, as a signed number."""
    return int.from_bytes(blake2b(body, digest_size=8).digest(), signed=True)


class Told:
    """Takes records as Kafka clients give them. `since` is when retention began, by kind of topic; 0 = all is there."""

    def __init__(self, settings: Settings, config: Config, ledger: Ledger, readers: Readers) -> None:
        self._ledger, self._readers = ledger, readers
        self._key, self._reading = settings.pii_key, Reading(config, settings.prefix)
        raw = dict.fromkeys([channel.topic for channel in config.channels.values()] + [PULLED_TOPIC])
        self.raw = [f"{settings.prefix}.{topic}" for topic in raw]
        self._requests = f"{settings.prefix}.requests"
        begins = dict.fromkeys((settings.inner, settings.outer))
        self._rejected = [f"{begin}.behaviour.rejected" for begin in begins]
        self._merges = [f"{begin}.identity.merges" for begin in begins]
        self.topics = [*self.raw, self._requests, *self._rejected, *self._merges]
        self._number = {topic: number for number, topic in enumerate(self.raw)}
        self._named: set[str] = set()
        self._buffers: dict[str, list[tuple[Any, ...]]] = {}
        self.since = {RAW: 0, REQUESTS: 0, REJECTED: 0}

    def is_raw(self, topic: str) -> bool:
        """Whether a topic holds behaviour."""
        return topic in self._number

    def forgotten(self, topic: str, until_ms: int) -> None:
        """What was in a topic before is not there any more, or says nothing sure."""
        kind = REQUESTS if topic == self._requests else REJECTED if topic in self._rejected else RAW
        if topic not in self._merges:
            self.since[kind] = max(self.since[kind], until_ms)

    def take(self, record: Any, is_within: bool) -> None:
        """One record; `is_within` the cut, so that what follows from it must be there."""
        if record.topic in self._number:
            self._behaviour(record, is_within)
        elif record.topic == self._requests:
            self._request(record, is_within)
        elif record.topic in self._rejected:
            self._rejection(record)
        elif record.value is not None:
            told = _merge(record.value)
            if told.get("type") == "refused":
                self._add("merge_refusals", *told["identifiers"])

    def flush(self) -> None:
        """What was taken is in the ledger."""
        for table, rows in self._buffers.items():
            self._ledger.add(table, rows)
        self._buffers = {}

    def _behaviour(self, record: Any, is_within: bool) -> None:
        sure = int(is_within)
        if is_within and self._readers.read_otherwise(record):
            sure = 2
            self.forgotten(record.topic, record.timestamp)
        place = (self._number[record.topic], record.partition, record.offset)
        event = self._reading.event(record)
        if isinstance(event, Rejected):
            self._add("turned", event.reason, record.timestamp, sure, *place)
        else:
            self._event(occurred(event, self._key), sure, place)

    def _event(self, told: Occurred, sure: int, place: tuple[int, int, int]) -> None:
        times = (told.occurred_at, told.received_at)
        self._add("told", told.event_id, told.key, *times, digest(told.body), sure, *place)
        for sighting in told.identifiers:
            self._name(sighting.key, f"{sighting.namespace}:{sighting.value}")
            if sighting.key != told.key:
                self._add("pairs", *pair(told.key, sighting.key), *times, sure)

    def _name(self, key: str, name: str) -> None:
        if key in self._named:
            return
        if len(self._named) >= NAMES_REMEMBERED:
            self._named.clear()
        self._named.add(key)
        self._add("names", key, name)

    def _request(self, record: Any, is_within: bool) -> None:
        with suppress(msgspec.DecodeError):
            asked = requests.read(record.value or b"")
            match asked:
                case requests.ErasureAsked():
                    ends = (asked.key, asked.key)
                case requests.UnlinkAsked():
                    ends = pair(asked.a, asked.b)
                case requests.LinkAsked():
                    ends = pair(asked.a.key, asked.b.key)
                    for sighting in (asked.a, asked.b):
                        self._name(sighting.key, f"{sighting.namespace}:{sighting.value}")
            self._add("requests", asked.request_id, _KINDS[type(asked)], *ends, record.timestamp, int(is_within))

    def _rejection(self, record: Any) -> None:
        told = {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
        reason, topic = told.get("reason", ""), told.get("source_topic", "")
        if EVENT_ID in told:  # by a stage: whatever came under this id may be the one
            self._add("excused", told[EVENT_ID], reason)
        elif topic in self._number:
            self._add("rejected", reason, self._number[topic], int(told["source_partition"]), int(told["source_offset"]))
        elif not topic.startswith("collector:"):
            for decode in _turned_away:
                with suppress(msgspec.DecodeError):
                    self._add("excused", decode(record.value or b"").event_id, reason)

    def _add(self, table: str, *row: Any) -> None:
        self._buffers.setdefault(table, []).append(row)
