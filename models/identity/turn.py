"""One message's turn: what a handler reads, and what it leaves behind.

A turn sees its own writes, so that messages which waited in a frozen cluster can be handled again in the same turn.
"""

from collections.abc import Callable

from models.identity.messages import POLICY_KEY, Deferred, IdentityMessage
from models.identity.outcome import Outcome, Output, RequestResult
from models.identity.policy import DEFAULT, Policy
from models.identity.rows import Cluster, Node, PolicyRow, Row
from models.identity.values import RequestState, Version
from models.ids import IdentifierKey, UnifiedUserId
from models.journey_messages import JourneyNews

Read = Callable[[str], Row | None]


class Turn:
    """Collects the outcome of one message; rows are read through what was written before."""

    __slots__ = ("again", "outcome", "read")

    def __init__(self, read: Read) -> None:
        self.read = read
        self.outcome = Outcome()
        self.again: list[Deferred] = []
        """Messages that waited, to be handled after this one."""

    def node(self, key: IdentifierKey) -> Node | None:
        """The row of an identifier."""
        row = self._row("n|" + key)
        assert row is None or isinstance(row, Node)
        return row

    def cluster(self, uid: UnifiedUserId) -> Cluster | None:
        """The row of a uid."""
        row = self._row("c|" + uid)
        assert row is None or isinstance(row, Cluster)
        return row

    def policy_row(self) -> PolicyRow:
        """The guards in force in this partition."""
        row = self._row(POLICY_KEY)
        assert row is None or isinstance(row, PolicyRow)
        return row or PolicyRow(DEFAULT, -1)

    def policy(self) -> Policy:
        """The guards in force in this partition."""
        return self.policy_row().policy

    def put_node(self, key: IdentifierKey, row: Node) -> None:
        """Write the row of an identifier."""
        self.outcome.rows["n|" + key] = row

    def put_cluster(self, uid: UnifiedUserId, row: Cluster) -> None:
        """Write the row of a uid."""
        self.outcome.rows["c|" + uid] = row

    def put_policy(self, row: PolicyRow) -> None:
        """Write the guards."""
        self.outcome.rows[POLICY_KEY] = row

    def send(self, message: IdentityMessage) -> None:
        """To another identity actor."""
        self.outcome.messages.append(message)

    def tell(self, message: JourneyNews) -> None:
        """To a journey."""
        self.outcome.journeys.append(message)

    def record(self, output: Output) -> None:
        """For the outside."""
        self.outcome.outputs.append(output)

    def answer(self, request_id: str, state: RequestState, detail: str = "") -> None:
        """How an operator's request goes."""
        self.outcome.outputs.append(RequestResult(request_id, state, detail))

    def answer_link(self, force: Version | None, state: RequestState, detail: str = "") -> None:
        """The answer to a link, if an operator asked for it; events expect none."""
        if force is not None:
            self.answer(force.request_id, state, detail)

    def _row(self, address: str) -> Row | None:
        written = self.outcome.rows
        if written:
            row = written.get(address)
            if row is not None:
                return row
        return self.read(address)
