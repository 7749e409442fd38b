"""journey.inbox -> journey rows, journey.changes; what comes too late, or only repeats a click -> behaviour.rejected."""

from collections.abc import Iterator
from typing import Any

from faust.types import StreamT

from app.instance import JOURNEY_INBOX, app, journey, outputs, partitions, raw_topic
from app.latency import hear
from app.runtime.durable import Record
from app.runtime.overlay import Overlay
from app.runtime.stage import Message, Sent, Stage
from app.runtime.station import Outgoing, StageStation
from app.tallies import events_kept, shown, stages
from models.ids import route
from models.journey import JourneyMessage, Row, handle
from models.journey_messages import EventPlaced
from tables.journey import codec


class JourneyActors:
    """One actor for each unified user, as a stage runs them."""

    def handle(self, message: JourneyMessage, rows: Overlay[Row]) -> Iterator[Sent]:
        """One message to its journey; what journeys tell one another stays in this inbox."""
        if type(message) is EventPlaced:
            hear(message.received_at)
        outcome = handle(message, rows)
        for told in outcome.messages:
            yield Message(JOURNEY_INBOX, route(told.uid), told)
        for entered in outcome.entered:
            yield outputs.entered(entered)
        for late in outcome.late:
            yield outputs.late(late)
        for event in outcome.repeated:
            yield outputs.repeated(event)

    def reject(self, body: bytes, partition: int, offset: int, why: str) -> Record:
        """The record of a message that could not be handled."""
        return outputs.internal(JOURNEY_INBOX, partition, body, offset, why)


stage = Stage(JourneyMessage, JourneyActors(), codec, journey.changelog, partitions, Outgoing(app), events_kept)
station = StageStation(app, stage, journey, shown)
stages["journey"] = stage


@app.agent(raw_topic(JOURNEY_INBOX), name="journey")
async def keep(stream: StreamT[Any]) -> None:
    """Keeps each unified user's journey: every event once, in the order in which it happened."""
    await station(stream)
