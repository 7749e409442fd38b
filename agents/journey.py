"""journey.inbox -> journey rows, journey.changes; what comes too late, or only repeats a click -> behaviour.rejected."""

from typing import Any

from faust.types import StreamT

from app.instance import JOURNEY_INBOX, app, journey, originals, outputs, partitions, raw_topic
from app.latency import hear
from app.originals import Restoring
from app.runtime.durable import Record
from app.runtime.overlay import Overlay
from app.runtime.stage import Message, Sent, Stage
from app.runtime.station import StageStation
from app.tallies import doubles, events_kept, shown, stages
from models.ids import route
from models.journey import JourneyMessage, Row, handle
from models.journey_messages import EventPlaced
from tables.journey import codec


class JourneyActors:
    """One actor for each unified user, as a stage runs them."""

    def handle(self, message: JourneyMessage, rows: Overlay[Row]) -> list[Sent]:
        """One message to its journey; what journeys tell one another stays in this inbox."""
        if type(message) is EventPlaced:
            hear(message.received_at)
        outcome = handle(message, rows)
        sent: list[Sent] = [Message(JOURNEY_INBOX, route(told.uid), told) for told in outcome.messages]
        sent.extend(map(outputs.entered, outcome.entered))
        sent.extend(map(outputs.late, outcome.late))
        sent.extend(map(outputs.repeated, outcome.repeated))
        for event in outcome.known:
            doubles[event.channel] += 1
        return sent

    def reject(self, body: bytes, partition: int, offset: int, why: str) -> Record:
        """The record of a message that could not be handled."""
        return outputs.internal(JOURNEY_INBOX, partition, body, offset, why)


stage = Stage(JourneyMessage, JourneyActors(), codec, journey.changelog, partitions, Restoring(app, originals), events_kept)
station = StageStation(app, JOURNEY_INBOX, stage, journey, shown)
stages["journey"] = stage


@app.agent(raw_topic(JOURNEY_INBOX), name="journey")
async def keep(stream: StreamT[Any]) -> None:
    """Keeps each unified user's journey: every event once, in the order in which it happened."""
    await station(stream)
