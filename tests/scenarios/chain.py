"""The whole chain in one process and in memory: the real parsing and the real actors, without Kafka, tables or HTTP."""

from collections import deque
from collections.abc import Sequence

from app.config import Config, namespaces_of, policies_of
from app.guards import guards_of
from models.event import Event
from models.identity import handle
from models.identity.explain import explain, refusals_of, tenures
from models.identity.messages import Answer, IdentityMessage, SetPolicy, cluster_address, node_address
from models.identity.outcome import RequestResult
from models.identity.rows import Cluster, Node, Row
from models.identity.values import Sighting
from models.ids import Identifier, IdentifierKey, UnifiedUserId, key_of
from models.notation import Line
from models.occurrence import occurred
from models.parse import Position, parse
from models.requests import Asked, ErasureAsked, LinkAsked, UnlinkAsked, messages_of
from tests.models.journey.shelf import Shelf
from tests.scenarios.suite import BEGIN_MS, Entry, Seen, record

SECRET = b"a story in memory"
RECEIVED_MS = BEGIN_MS + 30 * 86_400_000
"""All is told when all has happened."""


class MemoryChain:
    """One partition of everything; a message is handled when all before it are."""

    def __init__(self, config: Config) -> None:
        self._policies = {policy.channel: policy for policy in policies_of(config).values()}
        self._config = config
        self._rows: dict[str, Row] = {}
        self._journeys = Shelf()
        self._told = 0
        self._run(SetPolicy(0, guards_of(config), 1))

    async def tell(self, lines: Sequence[Line]) -> None:
        """Each line has its effects before the next."""
        for line in lines:
            self._told += 1
            if line.kind == "event":
                position = Position(f"behaviour.{line.channel}", 0, self._told)
                event = parse(record(line), self._policies[line.channel], position, RECEIVED_MS + self._told)
                assert isinstance(event, Event), f"{line}: {event}"
                self._run(occurred(event, SECRET))
            else:
                for _, message in messages_of(
                    requested(line, [sighting_of(self._config, name, SECRET) for name in line.names]), RECEIVED_MS + self._told
                ):
                    self._run(message)

    async def person(self, name: str) -> Seen | None:
        node = self._node(self._key(name))
        return None if node is None or node.uid is None else await self.person_of(node.uid)

    async def person_of(self, uid: str) -> Seen | None:
        found = self._cluster(UnifiedUserId(uid))
        if found is None:
            return None
        header = self._journeys.header(found[0])
        seen = {} if header is None else header.summary.identifiers
        names = [member.name for member in found[1].content.members.values()]
        channels = {name: seen[name].channels if name in seen else () for name in names}
        journey = [Entry(event.occurred_at, event.channel, event.event) for event in self._journeys.events(found[0])]
        return Seen(found[0], channels, journey)

    async def uids(self, name: str) -> Sequence[str]:
        node = self._node(self._key(name))
        return [] if node is None else [tenure.assignment.uid for tenure in tenures(node)]

    async def refused(self, name: str) -> Sequence[str]:
        key = self._key(name)
        far = [other for other, _ in refusals_of(self._holder(key), key)]
        return [self._holder(other).content.members[other].name for other in far]

    async def path(self, start: str, end: str) -> Sequence[str]:
        key = self._key(start)
        steps = explain(self._holder(key), key, self._key(end))
        assert steps is not None, f"{start} and {end} are two persons"
        return [start, *(word for step in steps for word in (step.evidence[0].event_id, step.far.name))]

    def _key(self, name: str) -> IdentifierKey:
        return sighting_of(self._config, name, SECRET).key

    def _run(self, message: IdentityMessage) -> None:
        waiting = deque([message])
        while waiting:
            outcome = handle(waiting.popleft(), self._rows.get)
            self._rows |= outcome.rows
            waiting += outcome.messages
            waiting += [Answer(o.request_id, o.state, o.detail) for o in outcome.outputs if isinstance(o, RequestResult)]
            self._journeys.told(*outcome.journeys)

    def _node(self, key: IdentifierKey) -> Node | None:
        row = self._rows.get(node_address(key))
        assert row is None or isinstance(row, Node)
        return row

    def _cluster(self, uid: UnifiedUserId) -> tuple[UnifiedUserId, Cluster] | None:
        row = self._rows.get(cluster_address(uid))
        assert row is None or isinstance(row, Cluster)
        if row is None or row.state == "erased":
            return None
        return (uid, row) if row.into is None else self._cluster(row.into)

    def _holder(self, key: IdentifierKey) -> Cluster:
        node = self._node(key)
        assert node is not None
        assert node.uid is not None, f"nobody has {key}"
        found = self._cluster(node.uid)
        assert found is not None
        return found[1]


def sighting_of(config: Config, name: str, secret: bytes) -> Sighting:
    """An identifier in any spelling, as events are read."""
    namespace, _, value = name.partition(":")
    identifier = namespaces_of(config).identifier(namespace, value)
    assert isinstance(identifier, Identifier), f"{name}: {identifier}"
    return Sighting(key_of(secret, identifier), namespace, identifier.value)


def requested(line: Line, named: Sequence[Sighting]) -> Asked:
    """An operator's request; its id is that of the line."""
    match line.kind:
        case "link":
            a, b = named
            return LinkAsked(line.id, a, b)
        case "unlink":
            a, b = named
            return UnlinkAsked(line.id, a.key, b.key)
        case _:
            return ErasureAsked(line.id, named[0].key)
