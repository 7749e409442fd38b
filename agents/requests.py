"""requests -> people.inbox: what operators ask becomes messages to the nodes it concerns."""

from collections.abc import Iterator
from typing import Any

import msgspec
from faust.types import StreamT

from app.instance import INBOX, REQUESTS, app, outputs, partitions, raw_topic
from app.runtime.relay import Relay
from app.runtime.stage import Message, Sent
from app.runtime.station import Outgoing, RelayStation
from app.tallies import delays
from models.requests import messages_of, read


def request_record(record: Any) -> Iterator[Sent]:
    """The messages of a request, or a rejected record. Pure in the record; its append time is the request's version."""
    try:
        asked = read(record.value or b"")
    except msgspec.DecodeError as error:
        yield outputs.refused(record, str(error))
        return
    for route, message in messages_of(asked, record.timestamp):
        yield Message(INBOX, route, message)


station = RelayStation(app, Relay(request_record, outputs.refused, partitions, Outgoing(app)), "requests", delays["requests"])


@app.agent(raw_topic(REQUESTS), name="requests")
async def requests(stream: StreamT[Any]) -> None:
    """Reads what operators asked for: links, unlinks and erasures."""
    await station(stream)
