"""behaviour.<channel> -> people.inbox | behaviour.rejected: a record becomes an event, addressed to its anchor."""

from collections.abc import Sequence
from typing import Any

from faust.types import StreamT

from app.instance import BEHAVIOUR, INBOX, POLICY, REJECTED, ZONE, app, outputs, partitions, raw_topic, reading, settings
from app.reading import carried
from app.rejection import Origin, rejection
from app.runtime.relay import Relay
from app.runtime.stage import Message, Sent
from app.runtime.station import Outgoing, RelayStation
from app.tallies import delays, relays
from models.display import rfc3339
from models.event import Rejected
from models.ids import route
from models.occurrence import occurred


def collect_record(record: Any) -> Sequence[Sent]:
    """A message to the node of the event's anchor, or a rejected record with reason and raw bytes. Pure in the record."""
    event = reading.event(record)
    if isinstance(event, Rejected):
        origin = Origin(record.topic, record.partition, record.offset)
        rejected = rejection(REJECTED, event, origin, rfc3339(record.timestamp, ZONE), record.value)
        return (rejected._replace(headers=(*rejected.headers, *carried(record.headers))),)
    message = occurred(event, settings.pii_key)
    return (Message(INBOX, route(message.key), message),)


relays["collect"] = relay = Relay(collect_record, outputs.refused, partitions, Outgoing(app))
station = RelayStation(app, relay, POLICY, delays["collect"])


@app.agent(raw_topic(*BEHAVIOUR), name="collect")
async def collect(stream: StreamT[Any]) -> None:
    """Reads every channel's behaviour, standardises it and addresses it to the person it belongs to."""
    await station(stream)
