"""requests -> identity.inbox: what operators ask becomes messages to the nodes it concerns."""

from collections.abc import Iterator
from typing import Any

import msgspec
from faust.types import StreamT

from app.instance import IDENTITY_INBOX, REJECTED, REQUESTS, ZONE, app, partitions, raw_topic
from app.rejection import Origin, rejection
from app.runtime.relay import Relay
from app.runtime.stage import Message, Sent
from app.runtime.station import Outgoing, RelayStation
from models.display import rfc3339
from models.event import Rejected
from models.requests import messages_of, read


def request_record(record: Any) -> Iterator[Sent]:
    """The messages of a request, or a rejected record. Pure in the record; its append time is the request's version."""
    try:
        asked = read(record.value or b"")
    except msgspec.DecodeError as error:
        origin = Origin(record.topic, record.partition, record.offset)
        yield rejection(REJECTED, Rejected("internal", str(error)), origin, rfc3339(record.timestamp, ZONE), record.value)
        return
    for route, message in messages_of(asked, record.timestamp):
        yield Message(IDENTITY_INBOX, route, message)


station = RelayStation(app, Relay(request_record, partitions, Outgoing(app)), "requests")


@app.agent(raw_topic(REQUESTS), name="requests")
async def requests(stream: StreamT[Any]) -> None:
    """Reads what operators asked for: links, unlinks and erasures."""
    await station(stream)
