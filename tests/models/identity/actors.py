"""The real handlers in one place, one message after the other: what tests of the protocol talk to.

Messages of some types can be held back, to look at what is between two steps, and be let go later, once or twice.
"""

from models import notation
from models.identity import handle
from models.identity.messages import Erase, IdentityMessage, Occurred, SetPolicy, relink, unlink
from models.identity.outcome import Output, RequestResult
from models.identity.policy import Policy
from models.identity.rows import Cluster, Node, Row
from models.identity.values import Content, Version
from models.ids import EventId, IdentifierKey, UnifiedUserId
from models.journey_messages import EventPlaced, JourneyNews
from tests.simulation.history import sighting


class Actors:
    """All rows, and the messages between them."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.rows: dict[str, Row] = {}
        self.outputs: list[Output] = []
        self.journeys: list[JourneyNews] = []
        self.held: list[IdentityMessage] = []
        self.holding: tuple[type, ...] = ()
        self.handled = 0
        self.names: dict[IdentifierKey, str] = {}
        if policy is not None:
            self.tell(SetPolicy(0, policy, 1))

    def told(self, history: str) -> "Actors":
        """Everything in the notation, each line to its end before the next."""
        for line in notation.read(history):
            self.tell(self.message(line))
        return self

    def at_once(self, history: str) -> "Actors":
        """Everything in the notation, before any of it has an effect."""
        self.tell(*(self.message(line) for line in notation.read(history)))
        return self

    def message(self, line: notation.Line) -> IdentityMessage:
        """What a line of the notation says to identity."""
        seen = tuple(sighting(name) for name in line.names)
        self.names.update({one.key: f"{one.namespace}:{one.value}" for one in seen})
        version = Version(line.at, line.id)
        match line.kind:
            case "event":
                return Occurred(seen[0].key, EventId(line.id), line.at, line.at, line.channel, seen)
            case "link":
                return relink(seen[0], seen[1], version)
            case "unlink":
                return unlink(seen[0].key, seen[1].key, version)
            case "erase":
                return Erase(seen[0].key, line.id, line.at)

    def tell(self, *messages: IdentityMessage) -> None:
        """Handle messages and all that comes of them, in order of arrival."""
        queue = list(messages)
        for message in queue:
            if isinstance(message, self.holding):
                self.held.append(message)
                continue
            outcome = handle(message, self.rows.get)
            self.rows.update(outcome.rows)
            self.outputs.extend(outcome.outputs)
            self.journeys.extend(outcome.journeys)
            queue.extend(outcome.messages)
            self.handled += 1

    def hold(self, *types: type) -> "Actors":
        """Keep messages of these types back."""
        self.holding = types
        return self

    def let_go(self) -> "Actors":
        """Deliver what was held back, and hold nothing more."""
        self.holding, held, self.held = (), self.held, []
        self.tell(*held)
        return self

    def node(self, name: str) -> Node | None:
        """The row of an identifier."""
        row = self.rows.get("n|" + sighting(name).key)
        assert row is None or isinstance(row, Node)
        return row

    def uid(self, name: str) -> UnifiedUserId:
        """Whose an identifier is; AssertionError when nobody's."""
        node = self.node(name)
        assert node is not None
        assert node.uid is not None
        return node.uid

    def cluster(self, name: str) -> Cluster:
        """The row of the person who has an identifier."""
        row = self.rows[f"c|{self.uid(name)}"]
        assert isinstance(row, Cluster)
        return row

    def content(self, name: str) -> Content:
        """What the person who has an identifier holds."""
        return self.cluster(name).content

    def persons(self) -> set[frozenset[str]]:
        """Who is one person, by names."""
        live = [row for row in self.rows.values() if isinstance(row, Cluster) and row.state == "live"]
        return {frozenset(member.name for member in row.content.members.values()) for row in live}

    def refused(self, name: str) -> dict[str, str]:
        """Reasons of refused links of an identifier, by the other's name."""
        key = sighting(name).key
        links = self.content(name).refused.items()
        return {self.names[both[0] if both[1] == key else both[1]]: r.reason for both, r in links if key in both}

    def result(self, request_id: str) -> tuple[str, str]:
        """State and detail of a request, so far."""
        found = [one for one in self.outputs if isinstance(one, RequestResult) and one.request_id == request_id]
        final = next((one for one in found if one.state != "accepted"), found[0])
        return final.state, final.detail

    def events(self) -> set[tuple[str, UnifiedUserId]]:
        """Which event is in the journey of which uid, or of its survivor."""
        return {(one.event_id, self.survivor(one.uid)) for one in self.journeys if isinstance(one, EventPlaced)}

    def survivor(self, uid: UnifiedUserId) -> UnifiedUserId:
        """Who answers for a uid."""
        row = self.rows["c|" + uid]
        assert isinstance(row, Cluster)
        return uid if row.into is None else self.survivor(row.into)


def people(*groups: str) -> set[frozenset[str]]:
    """`people("a:1 b:2", "c:3")`: two persons."""
    return {frozenset(group.split()) for group in groups}
