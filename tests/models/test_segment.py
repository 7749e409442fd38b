"""Segment's messages in all their dialects, as canonical events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.canonical import Canonical, encoded
from models.event import Rejected
from models.segment import NAMESPACES, Dialect, Envelope, event_of, read, table

DIALECT = Dialect(names={**NAMESPACES, "crm": "member_id"}, declared=frozenset({"user_id", "member_id", "phone"}))
NOON, ONE, TWO = "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z", "2026-11-22T14:00:00Z"


def event(kind: str | None = None, envelope: Envelope | None = None, **message: Any) -> dict[str, Any]:
    """The canonical event of a message, decoded, without its id."""
    found = read(json.dumps(message).encode())
    assert not isinstance(found, Rejected), found
    canonical = event_of(found, kind, envelope or Envelope(), DIALECT)
    assert isinstance(canonical, Canonical), canonical
    decoded: dict[str, Any] = json.loads(encoded(canonical, "web", "by chance"))
    decoded.pop("event_id")
    return decoded


def batch(**said: Any) -> Envelope:
    return Envelope(table(json.dumps(said.get("context")).encode()), said.get("sentAt"))


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"type": "track", "event": "Order Paid"}, "Order Paid"),
        ({"type": "identify"}, "identify"),
        ({"type": "page"}, "page_viewed"),
        ({"type": "screen"}, "screen_viewed"),
        ({"type": "group"}, "group_joined"),
        ({"type": "alias"}, "alias"),
    ],
)
def test_the_type_of_a_message_names_its_event(message: dict[str, Any], name: str) -> None:
    assert event(**message, userId="1") == {"event": name, "identifiers": {"user_id": "1"}}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b'{"userId": "1"}', "missing_event"),
        (b'{"type": null}', "missing_event"),
        (b'{"type": "delete"}', "bad_event"),
        (b'{"type": ["track"]}', "bad_event"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"type": "track"', "not_json"),
        (b'{"type": "track", "userId": 1e999}', "not_json"),
        (b'{"type": "\xff"}', "not_json"),
    ],
)
def test_what_is_no_message_is_refused_with_a_reason(message: bytes, reason: str) -> None:
    found = read(message)
    refused = found if isinstance(found, Rejected) else event_of(found, None, Envelope(), DIALECT)
    assert isinstance(refused, Rejected)
    assert refused.reason == reason


def test_the_address_says_the_type_where_the_message_does_not() -> None:
    assert event("screen", userId="1")["event"] == "screen_viewed"


def test_nulls_are_missing_values() -> None:
    nulls = dict.fromkeys(["userId", "messageId", "timestamp", "traits", "properties", "context", "sentAt", "groupId"])
    assert event(type="track", event="e", anonymousId="a", **nulls) == {"event": "e", "identifiers": {"anonymous_id": "a"}}


@pytest.mark.parametrize(
    ("message", "occurred_at"),
    [
        ({"timestamp": NOON, "originalTimestamp": ONE, "sentAt": TWO}, NOON),
        ({"timestamp": None, "originalTimestamp": ONE, "sentAt": TWO}, ONE),
        ({"sentAt": TWO}, None),
    ],
)
def test_the_time_is_the_timestamp_or_else_the_original_one(message: dict[str, Any], occurred_at: str | None) -> None:
    found = event(type="identify", userId="1", **message)
    assert (found.get("occurred_at"), found["sent_at"]) == (occurred_at, TWO)


def test_a_batch_knows_best_when_it_was_sent() -> None:
    assert event(None, batch(sentAt=TWO), type="identify", userId="1", sentAt=ONE)["sent_at"] == TWO
    assert event(None, batch(), type="identify", userId="1", sentAt=ONE)["sent_at"] == ONE


def test_the_context_of_a_batch_is_that_of_its_messages_unless_they_have_their_own() -> None:
    whole = batch(context={"ip": "10.0.0.1", "locale": "zh-CN", "device": {"id": "d1"}})
    found = event(None, whole, type="track", event="e", context={"ip": "10.0.0.2"})
    assert found["context"] == {"ip": "10.0.0.2", "locale": "zh-CN", "device": {"id": "d1"}}
    assert found["identifiers"] == {"device_id": "d1"}


@pytest.mark.parametrize(
    "message",
    [
        {"traits": {"email": "a@b.c", "city": "Foshan"}},
        {"context": {"traits": {"email": "a@b.c", "city": "Foshan"}}},
        {"traits": {"city": "Foshan"}, "context": {"traits": {"email": "a@b.c", "city": "Shenzhen"}}},
    ],
)
def test_traits_lie_in_the_message_or_in_its_context(message: dict[str, Any]) -> None:
    found = event(type="identify", userId="1", **message)
    assert found["traits"] == {"email": "a@b.c", "city": "Foshan"}
    assert found["identifiers"] == {"user_id": "1", "email": "a@b.c"}
    assert "context" not in found


def test_every_place_of_an_identifier_is_read_and_renamed() -> None:
    found = event(
        type="identify",
        userId=42,
        anonymousId="a",
        traits={"email": "a@b.c", "phone": 13800138000},
        context={
            "device": {"id": "d"},
            "externalIds": [{"type": "crm", "id": "M1"}, {"type": "phone", "id": "139"}, {"id": "x"}],
        },
    )
    assert found["identifiers"] == {
        "user_id": 42,
        "anonymous_id": "a",
        "email": "a@b.c",
        "phone": [13800138000, "139"],
        "device_id": "d",
        "member_id": "M1",
    }


@pytest.mark.parametrize("context", ["text", 5, [], {"device": "d", "externalIds": {}}, {"device": {"id": None}}, {"traits": []}])
def test_a_context_of_a_strange_form_names_nobody(context: Any) -> None:
    assert event(type="track", event="e", userId="1", context=context)["identifiers"] == {"user_id": "1"}


@pytest.mark.parametrize(
    ("previous", "identifiers"),
    [
        ("a-1", {"user_id": "1", "anonymous_id": "a-1"}),
        ("phone:138", {"user_id": "1", "phone": "138"}),
        ("urn:138", {"user_id": "1", "anonymous_id": "urn:138"}),
        (None, {"user_id": "1"}),
    ],
)
def test_an_alias_joins_its_user_to_somebody_anonymous_or_to_whom_it_names(previous: Any, identifiers: dict[str, str]) -> None:
    assert event(type="alias", userId="1", previousId=previous)["identifiers"] == identifiers


def test_the_traits_of_a_group_are_not_those_of_its_member() -> None:
    found = event(type="group", userId="1", groupId="g", traits={"email": "office@g.com"}, context={"traits": {"age": 30}})
    assert found["identifiers"] == {"user_id": "1"}
    assert found["traits"] == {"age": 30}
    assert found["properties"] == {"group_id": "g", "group_traits": {"email": "office@g.com"}}


def test_the_name_of_a_page_is_one_of_its_properties() -> None:
    assert event(type="page", userId="1", name="Cars", properties={"path": "/cars"})["properties"] == {
        "name": "Cars",
        "path": "/cars",
    }
    assert event(type="page", userId="1", name="Cars", properties={"name": "C"})["properties"] == {"name": "C"}


@given(
    st.binary(max_size=60) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_bytes_are_a_message_or_refused(raw: bytes) -> None:
    found = read(raw)
    if not isinstance(found, Rejected):
        event_of(found, None, Envelope(), DIALECT)
