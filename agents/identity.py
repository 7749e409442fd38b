"""identity.inbox -> identity rows, journey.inbox, identity.merges, identity.map."""

from typing import Any

from faust.types import StreamT

from app.instance import IDENTITY_INBOX, JOURNEY_INBOX, app, identity, originals, outputs, partitions, raw_topic
from app.originals import Restoring
from app.runtime.durable import Record
from app.runtime.overlay import Overlay
from app.runtime.stage import Message, Sent, Stage
from app.runtime.station import StageStation
from app.tallies import census, counters, delays, stages
from models.identity import handle
from models.identity.messages import Answer, IdentityMessage, address
from models.identity.outcome import RequestResult
from models.identity.rows import Row
from models.ids import UnifiedUserId, route, route_of_request
from tables.identity import codec


class IdentityActors:
    """Nodes and clusters, as a stage runs them."""

    def handle(self, message: IdentityMessage, rows: Overlay[Row]) -> list[Sent]:
        """One message to its actor: rows are written, messages placed by the route of their addressee."""
        sent: list[Sent] = []
        counters.hear(message)
        outcome = handle(message, lambda at: rows.get(at.encode()))
        for at, row in outcome.rows.items():
            rows.put(at.encode(), row)
        for told in outcome.messages:
            sent.append(Message(IDENTITY_INBOX, route(UnifiedUserId(address(told))), told))
        for placed in outcome.journeys:
            sent.append(Message(JOURNEY_INBOX, route(placed.uid), placed))
        for output in outcome.outputs:
            counters.see(output)
            if isinstance(output, RequestResult):
                answer = Answer(output.request_id, output.state, output.detail)
                sent.append(Message(IDENTITY_INBOX, route_of_request(output.request_id), answer))
            else:
                sent.extend(outputs.records(output))
        return sent

    def reject(self, body: bytes, partition: int, offset: int, why: str) -> Record:
        """The record of a message that could not be handled."""
        return outputs.internal(IDENTITY_INBOX, partition, body, offset, why)


stage = Stage(IdentityMessage, IdentityActors(), codec, identity.changelog, partitions, Restoring(app, originals), census)
station = StageStation(app, IDENTITY_INBOX, stage, identity, delays["identity"])
stages["identity"] = stage


@app.agent(raw_topic(IDENTITY_INBOX), name="identity")
async def resolve(stream: StreamT[Any]) -> None:
    """Resolves identifiers to unified users as events arrive: an incremental, distributed union-find."""
    await station(stream)
