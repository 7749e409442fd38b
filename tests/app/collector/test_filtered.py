"""What edges tell of what they held back."""

from typing import Any

import msgspec
import pytest

from tests.app.collector.conftest import Door

TOLD: dict[str, Any] = {
    "id": "1",
    "edge": "kiosk",
    "since": "2026-11-22T12:00:00Z",
    "until": "2026-11-22T12:01:00Z",
    "read": 9,
    "filtered": {"crawler": 2},
}


@pytest.mark.parametrize(("key", "channel"), [("key", "web"), ("crm", "crm")])
async def test_it_goes_to_its_topic_with_the_channel_of_its_key(door: Door, key: str, channel: str) -> None:
    assert await door.post("/v1/filtered", TOLD, key) == (200, {"success": True, "accepted": 1, "rejected": []})
    (record,) = door.sink.records
    assert (record.topic, record.key) == ("onetrail.edge.filtered", b"kiosk")
    assert msgspec.json.decode(record.value or b"") == {**TOLD, "channel": channel}


@pytest.mark.parametrize("wrong", [{"id": ""}, {"read": -1}, {"filtered": {"crawler": "two"}}, {"edge": None}])
async def test_what_is_no_summary_is_refused_as_such(door: Door, wrong: dict[str, Any]) -> None:
    status, answer = await door.post("/v1/filtered", {**TOLD, **wrong})
    assert (status, answer["rejected"]) == (200, [{"index": 0, "reason": "not_json"}])
    assert len(door.refused()) == 1
