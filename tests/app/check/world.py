"""A history as topics tell it and as workers hold it, in memory, so that either side can be tampered with."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.check.held import keep
from app.check.judge import suspects
from app.check.ledger import Ledger
from app.check.readers import Readers
from app.check.report import Difference, Suspect, smallest
from app.check.told import Told
from app.config import Config, load, policies_of
from app.guards import guards_of
from app.outputs import Outputs
from app.reading import IMPORT
from app.rejection import Origin, rejection
from app.runtime.durable import Record
from app.settings import PACKAGED_CONFIG, Settings
from models import notation, requests
from models.event import Rejected
from models.identity import handle
from models.identity.messages import Answer, IdentityMessage, SetPolicy, cluster_address, node_address
from models.identity.outcome import RequestResult
from models.identity.rows import Cluster, Node, Row
from models.ids import IdentifierKey, UnifiedUserId
from models.imports import imported
from models.journey.rows import Entry, Header, header_key
from models.journey.rows import Row as JourneyRow
from models.notation import Line
from models.occurrence import occurred
from models.parse import Position, parse
from tables.codec import codec
from tests.models.journey.shelf import Shelf
from tests.scenarios.chain import requested, sighting_of
from tests.scenarios.suite import BEGIN_MS, record

KEY = "a key for tests, long enough"
CONFIG: Config = load(PACKAGED_CONFIG)
SETTINGS = Settings.from_environment({"ONETRAIL_PREFIX": "t", "ONETRAIL_PII_KEY": KEY}, generate=False)
ZONE = ZoneInfo(CONFIG.display.time_zone)
OUTPUTS = Outputs("t", ZONE, {"web": "t.behaviour.web"})
POLICIES = {f"t.{topic}": policy for topic, policy in policies_of(CONFIG).items()}
TODAYS = Readers([], {}, "")
"""Nobody else read anything."""
WEEK_MS = 7 * 86_400_000
HISTORY = """
    t1 web anonymous_id:a page_viewed /pricing
    t2 web anonymous_id:a page_viewed /faq
    t3 app user_id:7 anonymous_id:a signed_in
    t4 wecom phone:13800138000 asked
    t5 app user_id:8 device_id:tablet signed_in
    t6 app user_id:9 device_id:tablet signed_in
    t7 web user_id:10 anonymous_id:b signed_in
    t8 unlink user_id:10 anonymous_id:b
    t9 web user_id:11 anonymous_id:c signed_in
    t10 erase user_id:11
    t11 link phone:13800138000 user_id:8
    t4 wecom phone:13800138000 asked
"""


class Written(NamedTuple):
    """A record as Kafka clients give it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class World:
    """`written` is what the topics hold; `rows` and `journeys` what the workers do. Everything is one partition."""

    written: list[Written] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    journeys: Shelf = field(default_factory=Shelf)

    @classmethod
    def of(cls, *histories: str) -> "World":
        """What comes of a history; lines a minute apart in log time."""
        world = cls()
        world._run(SetPolicy(0, guards_of(CONFIG), 1))
        for line in (line for history in histories for line in notation.read(history)):
            world.tell(line)
        return world

    def tell(self, line: Line) -> None:
        """A line is written and has its effects."""
        if line.kind == "event":
            self.write(f"t.behaviour.{line.channel}", record(line))
            return
        asked = requested(line, [sighting_of(CONFIG, name, KEY.encode()) for name in line.names])
        at = self._append("t.requests", requests.encode(asked)).timestamp
        for _, message in requests.messages_of(asked, at):
            self._run(message)

    def write(self, topic: str, value: bytes, headers: tuple[tuple[str, bytes], ...] = ()) -> None:
        """A business system writes, or an import does, and the collect stage reads."""
        written = self._append(topic, value, headers)
        event = parse(value, POLICIES[topic], Position(*written[:3]), written.timestamp)
        if isinstance(event, Rejected):
            self.say(rejection("t.behaviour.rejected", event, Origin(*written[:3]), "", value))
        else:
            self._run(occurred(imported(event) if headers == IMPORT else event, KEY.encode()))

    def suspects(self, readers: Readers = TODAYS, forgotten_until: int = 0) -> list[Suspect]:
        """What a check finds."""
        ledger, told = self._ledger(readers)
        for topic in told.topics:
            told.forgotten(topic, forgotten_until)
        return suspects(ledger, told.since, guards_of(CONFIG), lambda done, wanted: None)

    def differences(self) -> Sequence[Difference]:
        """What a check shows."""
        ledger, told = self._ledger(TODAYS)
        found = suspects(ledger, told.since, guards_of(CONFIG), lambda done, wanted: None)
        return smallest(ledger, found, dict(enumerate(told.raw)), ZONE)

    def _ledger(self, readers: Readers) -> tuple[Ledger, Told]:
        ledger = Ledger()
        told = Told(SETTINGS, CONFIG, ledger, readers)
        for written in self.written:
            told.take(written, is_within=True)
        told.flush()
        keep(ledger, [(at.encode(), codec.encode(b"", row)) for at, row in sorted(self.rows.items())])
        keep(ledger, [(key, codec.encode(b"", row)) for key, row in self._shown()])
        return ledger, told

    def _shown(self) -> list[tuple[bytes, JourneyRow]]:
        return [(key, row) for key, row in sorted(self.journeys.rows.items()) if key[:2] in (b"h|", b"t|")]

    def _append(self, topic: str, value: bytes | None, headers: tuple[tuple[str, bytes], ...] = ()) -> Written:
        at = BEGIN_MS + WEEK_MS + 120_000 * len(self.written)
        self.written.append(Written(topic, 0, len(self.written), at, value, headers))
        return self.written[-1]

    def say(self, said: Record) -> None:
        """A stage writes."""
        if said.topic in ("t.identity.merges", "t.behaviour.rejected"):
            self._append(said.topic, said.value, said.headers)

    def _run(self, message: IdentityMessage) -> None:
        waiting = deque([message])
        while waiting:
            outcome = handle(waiting.popleft(), self.rows.get)
            self.rows |= outcome.rows
            waiting += outcome.messages
            for output in outcome.outputs:
                if isinstance(output, RequestResult):
                    waiting.append(Answer(output.request_id, output.state, output.detail))
                for said in OUTPUTS.records(output):
                    self.say(said)
            for news in self.journeys.told(*outcome.journeys):
                for late in news.late:
                    self.say(OUTPUTS.late(late))
                for repeated in news.repeated:
                    self.say(OUTPUTS.repeated(repeated))

    # What tests tamper with

    def key(self, name: str) -> IdentifierKey:
        return sighting_of(CONFIG, name, KEY.encode()).key

    def node(self, name: str) -> Node:
        row = self.rows[node_address(self.key(name))]
        assert isinstance(row, Node)
        return row

    def uid(self, name: str) -> UnifiedUserId:
        uid = self.node(name).uid
        assert uid is not None
        return uid

    def cluster(self, name: str) -> Cluster:
        row = self.rows[cluster_address(self.uid(name))]
        assert isinstance(row, Cluster)
        return row

    def put_node(self, name: str, row: Node) -> None:
        self.rows[node_address(self.key(name))] = row

    def put_cluster(self, name: str, row: Cluster) -> None:
        self.rows[cluster_address(self.uid(name))] = row

    def entry(self, name: str, event_id: str) -> tuple[bytes, Entry]:
        """The entry of an event in the journey of whoever has an identifier."""
        found = (pair for pair in self.journeys.entries(self.uid(name)) if pair[0].decode().endswith(f"|{event_id}"))
        return next(found)

    def header(self, name: str) -> Header:
        header = self.journeys.header(self.uid(name))
        assert header is not None
        return header

    def put_header(self, name: str, header: Header) -> None:
        self.journeys.rows[header_key(self.uid(name))] = header


Tamper = Callable[[World], None]
