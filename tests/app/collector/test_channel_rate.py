"""A channel with a rate: what is above it is the sender's to send later."""

from typing import Any

from tests.app.collector.conftest import Door


async def test_events_above_the_rate_of_their_channel_are_to_be_sent_later(door: Door, event: dict[str, Any]) -> None:
    many = [{**event, "event_id": str(n)} for n in range(500)]
    assert (await door.post("/v1/events", many, key="slow"))[0] == 200
    status, answer = await door.post("/v1/events", event, key="slow")
    assert (status, answer["code"]) == (429, "rate_limited")
    assert len(door.events("slow")) == 500
    assert (await door.post("/v1/events", many))[0] == 200, "other channels are not held up"
