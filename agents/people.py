"""people.inbox -> rows of identities and journeys, identity.merges, identity.map, journey.changes.

What comes too late, or only repeats a click, goes to behaviour.rejected.
"""

from collections.abc import Iterator
from typing import Any

from faust.types import StreamT

from app.instance import INBOX, app, originals, outputs, partitions, raw_topic, table
from app.latency import hear
from app.originals import Restoring
from app.runtime.durable import Record
from app.runtime.overlay import Overlay
from app.runtime.stage import Message, Sent, Stage
from app.runtime.station import StageStation
from app.tallies import counters, doubles, followers, shown, stages
from models.identity.messages import Answer
from models.identity.outcome import Output, RequestResult
from models.journey_messages import EventPlaced
from models.people import EVENTS, Heard, PeopleMessage, Row, enter, handle, route_of
from tables.codec import codec


class PeopleActors:
    """Nodes, clusters and journeys, as a stage runs them."""

    def handle(self, message: PeopleMessage, rows: Overlay[Row]) -> list[Sent]:
        """One message to its actor: rows are written, messages placed by the route of their addressee."""
        if isinstance(message, EVENTS) and enter(message, rows):
            hear(message.received_at)
            return []
        counters.hear(message)
        outcome = handle(message, rows)
        sent: list[Sent] = [Message(INBOX, route_of(told), told) for told in outcome.messages]
        for output in outcome.outputs:
            sent.extend(_told(output))
        for heard in outcome.heard:
            sent.extend(_kept(heard))
        return sent

    def reject(self, body: bytes, partition: int, offset: int, why: str) -> Record:
        """The record of a message that could not be handled."""
        return outputs.internal(INBOX, partition, body, offset, why)


def _told(output: Output) -> Iterator[Sent]:
    """What identities tell the outside; a request's result is kept for lookups."""
    counters.see(output)
    if isinstance(output, RequestResult):
        answer = Answer(output.request_id, output.state, output.detail)
        yield Message(INBOX, route_of(answer), answer)
    else:
        yield from outputs.records(output)


def _kept(heard: Heard) -> Iterator[Sent]:
    """What journeys tell the outside."""
    message, outcome = heard
    if type(message) is EventPlaced:
        hear(message.received_at)
    yield from map(outputs.entered, outcome.entered)
    yield from map(outputs.late, outcome.late)
    yield from map(outputs.repeated, outcome.repeated)
    for event in outcome.known:
        doubles[event.channel] += 1


stage = Stage(PeopleMessage, PeopleActors(), codec, table.changelog, partitions, Restoring(app, originals), followers)
station = StageStation(app, INBOX, stage, table, shown)
stages["people"] = stage


@app.agent(raw_topic(INBOX), name="people")
async def people(stream: StreamT[Any]) -> None:
    """Resolves identifiers to people as events arrive (an incremental, distributed union-find), and keeps each one's journey."""
    await station(stream)
