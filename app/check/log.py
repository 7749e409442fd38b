"""The topics of a check: every record becomes rows of the ledger. Reads without a group and leaves no trace in Kafka."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.check.ledger import Ledger
from app.check.readers import Readers
from app.config import Config
from app.config.policies import PULLED_TOPIC
from app.reading import Reading
from app.settings import Settings
from models import requests
from models.event import Event, Rejected
from models.identity.messages import Deliver, Occurred
from models.identity.values import pair
from models.journey_messages import EventPlaced
from models.occurrence import occurred
from models.parse import Position, parse

POLL_MS = 200
NAMES_REMEMBERED = 200_000
Report = Callable[[int, int], None]
"""Records read, records there are."""
Digest = Callable[[bytes], int]

_request_kind = {requests.LinkAsked: "link", requests.UnlinkAsked: "unlink", requests.ErasureAsked: "erasure"}
_refused = msgspec.json.Decoder(dict[str, Any]).decode
_rejected_event = msgspec.msgpack.Decoder(Event).decode
_rejected_message = msgspec.msgpack.Decoder(Occurred | Deliver | EventPlaced).decode


class Log:
    """Reads on from where it stands, up to given ends."""

    def __init__(self, settings: Settings, config: Config, ledger: Ledger, readers: Readers, digest: Digest) -> None:
        self._ledger, self._readers, self._digest = ledger, readers, digest
        self._key, self._reading = settings.pii_key, Reading(config, settings.prefix)
        raw = [channel.topic for channel in config.channels.values()] + [PULLED_TOPIC]
        self.raw = [f"{settings.prefix}.{topic}" for topic in dict.fromkeys(raw)]
        self._requests, self._rejected = f"{settings.prefix}.requests", f"{settings.prefix}.behaviour.rejected"
        self._merges = f"{settings.prefix}.identity.merges"
        self.inboxes = [f"{settings.prefix}.{name}" for name in ("identity.inbox", "journey.inbox")]
        self._inbox_tps = [TopicPartition(topic, n) for topic in self.inboxes for n in range(config.topics.partitions)]
        self._consumer = AIOKafkaConsumer(
            *(*self.raw, self._requests, self._rejected, self._merges),
            bootstrap_servers=settings.bootstrap,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            **settings.security,
        )
        self._number = {topic: number for number, topic in enumerate(self.raw)}
        self._named: set[str] = set()
        self._buffers: dict[str, list[tuple[Any, ...]]] = {}
        self._cut: Mapping[Any, int] = {}
        self._begins: Mapping[Any, int] = {}
        self.since = {"raw": 0, "requests": 0, "rejected": 0}
        """Retention removed what is older (UTC milliseconds); 0 = nothing."""
        self.removed = 0
        """Records of behaviour that retention removed."""

    async def __aenter__(self) -> "Log":
        await self._consumer.start()
        tps = list(self._consumer.assignment())
        self._begins = await self._consumer.beginning_offsets(tps)
        self._cut = await self.ends()
        self.removed = sum(begin for tp, begin in self._begins.items() if tp.topic in self._number)
        for tp, begin in self._begins.items():
            if begin and begin == self._cut[tp]:
                self._horizon(tp.topic, round(time.time() * 1_000))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def ends(self) -> dict[Any, int]:
        """Where all topics end now."""
        found: dict[Any, int] = await self._consumer.end_offsets(list(self._consumer.assignment()))
        return found

    @property
    def cut(self) -> Mapping[Any, int]:
        """Where all topics ended when the check began."""
        return self._cut

    async def sums(self) -> dict[str, int]:
        """How many records each topic ever had, now; those of inboxes too."""
        return summed({**await self.ends(), **await self._consumer.end_offsets(self._inbox_tps)})

    async def read(self, until: Mapping[Any, int], report: Report) -> None:
        """Reads up to these ends."""
        positions = {tp: await self._consumer.position(tp) for tp in until}
        wanted = sum(max(0, end - positions[tp]) for tp, end in until.items())
        done = 0
        while any(positions[tp] < end for tp, end in until.items()):
            for tp, records in (await self._consumer.getmany(timeout_ms=POLL_MS)).items():
                for record in records:
                    self._take(tp, record)
                done += len(records)
            self._flush()
            positions = {tp: await self._consumer.position(tp) for tp in until}
            report(min(done, wanted), wanted)

    def _take(self, tp: Any, record: Any) -> None:
        if record.offset == self._begins[tp] > 0:
            self._horizon(tp.topic, record.timestamp)
        if tp.topic in self._number:
            self._behaviour(tp, record)
        elif tp.topic == self._requests:
            self._request(tp, record)
        elif tp.topic == self._rejected:
            self._rejection(record)
        elif record.value is not None:
            self._merge(record)

    def _horizon(self, topic: str, at_ms: int) -> None:
        kind = "requests" if topic == self._requests else "rejected" if topic == self._rejected else "raw"
        if topic != self._merges:
            self.since[kind] = max(self.since[kind], at_ms)

    def _behaviour(self, tp: Any, record: Any) -> None:
        sure = 0 if record.offset >= self._cut[tp] else 2 if self._readers.read_otherwise(tp, record.offset) else 1
        if sure == 2:
            self.since["raw"] = max(self.since["raw"], record.timestamp)
        place = (self._number[tp.topic], tp.partition, record.offset)
        policy = self._reading.policy(record.topic, record.headers)
        position = Position(record.topic, record.partition, record.offset)
        event = policy if isinstance(policy, Rejected) else parse(record.value, policy, position, record.timestamp)
        if isinstance(event, Rejected):
            self._add("turned", event.reason, record.timestamp, sure, *place)
            return
        told = occurred(event, self._key)
        digest = self._digest(told.body)
        self._add("told", told.event_id, told.key, told.occurred_at, told.received_at, digest, sure, *place)
        for sighting in told.identifiers:
            self._name(sighting.key, f"{sighting.namespace}:{sighting.value}")
            if sighting.key != told.key:
                self._add("pairs", *pair(told.key, sighting.key), told.occurred_at, told.received_at, sure)

    def _name(self, key: str, name: str) -> None:
        if key in self._named:
            return
        if len(self._named) >= NAMES_REMEMBERED:
            self._named.clear()
        self._named.add(key)
        self._add("names", key, name)

    def _request(self, tp: Any, record: Any) -> None:
        with suppress(msgspec.DecodeError):
            asked = requests.read(record.value or b"")
            sure = int(record.offset < self._cut[tp])
            if isinstance(asked, requests.ErasureAsked):
                a, b = asked.key, asked.key
            elif isinstance(asked, requests.UnlinkAsked):
                a, b = pair(asked.a, asked.b)
            else:
                a, b = pair(asked.a.key, asked.b.key)
                self._name(asked.a.key, f"{asked.a.namespace}:{asked.a.value}")
                self._name(asked.b.key, f"{asked.b.namespace}:{asked.b.value}")
            self._add("requests", asked.request_id, _request_kind[type(asked)], a, b, record.timestamp, sure)

    def _rejection(self, record: Any) -> None:
        told = {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
        reason, topic = told.get("reason", ""), told.get("source_topic", "")
        if topic in self._number:
            place = (self._number[topic], int(told["source_partition"]), int(told["source_offset"]))
            self._add("rejected", reason, *place)
        elif not topic.startswith("collector:"):
            for decode in (_rejected_event, _rejected_message):
                with suppress(msgspec.DecodeError):
                    self._add("excused", decode(record.value or b"").event_id, reason)

    def _merge(self, record: Any) -> None:
        told = _refused(record.value)
        if told.get("type") == "refused":
            self._add("merge_refusals", *told["identifiers"])

    def _add(self, table: str, *row: Any) -> None:
        self._buffers.setdefault(table, []).append(row)

    def _flush(self) -> None:
        for table, rows in self._buffers.items():
            self._ledger.add(table, rows)
        self._buffers = {}


def summed(ends: Mapping[Any, int]) -> dict[str, int]:
    """Ends of partitions by topic."""
    found: dict[str, int] = {}
    for tp, end in ends.items():
        found[tp.topic] = found.get(tp.topic, 0) + end
    return found
