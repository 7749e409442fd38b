"""PostHog's events as canonical events."""

import json
from typing import Any

import pytest

from models.canonical import encoded
from models.event import Rejected
from models.posthog import event_of, read

SENT_AT = "2026-11-22T12:00:00Z"


def event(**given: Any) -> dict[str, Any]:
    """The canonical event of an event of a batch, decoded."""
    found = read(json.dumps(given).encode())
    assert not isinstance(found, Rejected), found
    decoded: dict[str, Any] = json.loads(encoded(event_of(found, SENT_AT, {"distinct_id": "user_id"}), "web", "by chance"))
    return decoded


def test_an_event_keeps_all_it_says() -> None:
    given = {"event": "$pageview", "uuid": "7", "distinct_id": "u", "timestamp": "2026-11-22T11:00:00Z", "properties": {"a": 1}}
    assert event(**given) == {
        "event_id": "7",
        "event": "$pageview",
        "occurred_at": "2026-11-22T11:00:00Z",
        "sent_at": SENT_AT,
        "identifiers": {"user_id": "u"},
        "properties": {"a": 1},
    }


@pytest.mark.parametrize(
    ("properties", "identifiers"),
    [
        ({"$anon_distinct_id": "a"}, {"user_id": ["u", "a"], "anonymous_id": "a"}),
        ({"alias": "v"}, {"user_id": ["u", "v"]}),
        ({"alias": None}, {"user_id": "u"}),
        ([], {"user_id": "u"}),
    ],
)
def test_who_is_joined_is_in_the_properties(properties: Any, identifiers: dict[str, Any]) -> None:
    assert event(event="$identify", distinct_id="u", properties=properties)["identifiers"] == identifiers


@pytest.mark.parametrize("given", [{"$set": {"city": "Foshan"}}, {"properties": {"$set": {"city": "Foshan"}}}])
def test_what_is_set_are_traits_wherever_it_stands(given: dict[str, Any]) -> None:
    assert event(event="$set", distinct_id="u", **given)["traits"] == {"city": "Foshan"}


@pytest.mark.parametrize(("raw", "reason"), [(b"[]", "not_an_object"), (b"{", "not_json"), (b'{"uuid": 1e999}', "not_json")])
def test_what_is_no_event_is_refused(raw: bytes, reason: str) -> None:
    found = read(raw)
    assert isinstance(found, Rejected)
    assert found.reason == reason
