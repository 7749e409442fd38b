"""Who is this, and what did they do, in one turn.

A person's cluster and journey end in the same route, so they lie in the same partition, and nobody but this cluster tells the
journey of events, merges, splits and erasure. It takes effect in the turn that made the cluster tell it: in the order in which it
was told, and with that turn's rows or not at all. What journeys tell one another goes through the inbox, like all else.
"""

from typing import Any, NamedTuple, Protocol

from models.identity import handle as resolve
from models.identity.messages import Answer, Deliver, IdentityMessage, Occurred, address
from models.identity.outcome import Output
from models.identity.rows import Row as IdentityRow
from models.identity.usual import Found, holder
from models.ids import ROUTE_LENGTH, Route, UnifiedUserId, route, route_of_request
from models.journey import JourneyMessage
from models.journey import Row as JourneyRow
from models.journey import handle as keep
from models.journey.outcome import Outcome as JourneyOutcome
from models.journey.usual import enter as enter_usual
from models.journey_messages import ToJourney

PeopleMessage = IdentityMessage | JourneyMessage
Row = IdentityRow | JourneyRow


class Rows(Protocol):
    """The rows of one partition, as one message sees them; the first letter of a key tells the kind."""

    @property
    def found(self) -> Found: ...

    def get(self, key: bytes) -> Any: ...

    def put(self, key: bytes, row: Any) -> None: ...

    def delete(self, key: bytes) -> None: ...

    def scan(self, prefix: bytes, start: bytes | None = None, limit: int = 1000) -> list[tuple[bytes, Any]]: ...


class Heard(NamedTuple):
    """What a journey was told in a turn, and what came of it; its messages are the turn's."""

    message: JourneyMessage
    outcome: JourneyOutcome


class Outcome(NamedTuple):
    """What comes of a message, beside the rows it changes in place: messages, outputs of identities, what journeys heard."""

    messages: list[PeopleMessage]
    outputs: list[Output]
    heard: list[Heard]


EVENTS = (Occurred, Deliver)


def enter(message: Occurred | Deliver, rows: Rows) -> bool:
    """Does all there is to do about the usual event of somebody known; of any other it leaves no trace, and `handle` is asked."""
    held = holder(message, rows)
    return held is not None and enter_usual(*held, message.occurred_at, message.body, rows)


def handle(message: PeopleMessage, rows: Rows) -> Outcome:
    """Applies a message to its actor, and what that tells its journey to the journey."""
    if isinstance(message, ToJourney):
        heard = Heard(message, keep(message, rows))
        return Outcome([*heard.outcome.messages], [], [heard])
    resolved = resolve(message, lambda at: rows.get(at.encode()))
    for at, row in resolved.rows.items():
        rows.put(at.encode(), row)
        rows.found.drop(at[-ROUTE_LENGTH:])
    told = [Heard(news, keep(news, rows)) for news in resolved.journeys]
    return Outcome([*resolved.messages, *(sent for one in told for sent in one.outcome.messages)], resolved.outputs, told)


def route_of(message: PeopleMessage) -> Route:
    """What places a message: the end of its actor's name, or a request's id. None of SetPolicy, which goes to every partition."""
    if isinstance(message, ToJourney):
        return route(message.uid)
    return route_of_request(message.request_id) if isinstance(message, Answer) else route(UnifiedUserId(address(message)))
