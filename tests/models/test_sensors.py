"""Sensors Analytics' messages as canonical events."""

import json
from typing import Any

import pytest

from models.canonical import Canonical, encoded
from models.event import Rejected
from models.sensors import IDENTITIES, Parting, event_of, read

NAMES = {**IDENTITIES, "$identity_crm": "member_id"}


def event(**given: Any) -> dict[str, Any]:
    """The canonical event of a message, decoded, without its id."""
    found = read(json.dumps({"distinct_id": "d", **given}).encode())
    assert not isinstance(found, Rejected), found
    canonical = event_of(found, NAMES)
    assert isinstance(canonical, Canonical), canonical
    decoded: dict[str, Any] = json.loads(encoded(canonical, "web", "by chance"))
    decoded.pop("event_id")
    return decoded


def test_a_track_keeps_all_it_says() -> None:
    assert event(type="track", event="Buy", time=1795320000000, properties={"a": 1}, lib={"$lib": "python"}) == {
        "event": "Buy",
        "occurred_at": 1795320000000,
        "identifiers": {"distinct_id": "d"},
        "properties": {"a": 1},
        "context": {"library": {"$lib": "python"}},
    }


def test_identities_are_named_by_their_kind_or_by_the_channel() -> None:
    identities = {
        "$identity_login_id": "u",
        "$identity_mobile": "138",
        "$identity_email": "a@b.c",
        "$identity_mp_openid": "o",
        "$identity_mp_unionid": "w",
        "$identity_cookie_id": "c",
        "$identity_anonymous_id": "a",
        "$identity_crm": "m",
    }
    assert event(type="track_id_bind", event="$BindID", identities=identities)["identifiers"] == {
        "distinct_id": "d",
        "user_id": "u",
        "phone": "138",
        "email": "a@b.c",
        "wechat_openid": "o",
        "wechat_unionid": "w",
        "anonymous_id": ["c", "a"],
        "member_id": "m",
    }


def test_signing_up_joins_who_it_was_before() -> None:
    found = event(type="track_signup", event="$SignUp", original_id="before")
    assert found["identifiers"] == {"distinct_id": ["d", "before"]}


@pytest.mark.parametrize(
    ("identities", "distinct_id", "parted"),
    [
        ({"$identity_mobile": "138", "$identity_login_id": "u"}, "u", (("phone", "138"), ("user_id", "u"))),
        ({"$identity_mobile": "138"}, "d", (("phone", "138"), ("distinct_id", "d"))),
        ({"$identity_mobile": "138"}, "$identity_mobile+138", None),
        ({"$identity_login_id": "u"}, "u", None),
        ({}, "d", None),
    ],
)
def test_an_unbinding_parts_two_who_are_named(identities: dict[str, str], distinct_id: str, parted: Parting | None) -> None:
    message = {"type": "track_id_unbind", "event": "$UnbindID", "distinct_id": distinct_id, "identities": identities}
    found = read(json.dumps(message).encode())
    assert not isinstance(found, Rejected)
    asked = event_of(found, NAMES)
    assert (asked if isinstance(asked, Parting) else None) == parted


@pytest.mark.parametrize(
    ("kind", "properties", "fields"),
    [
        ("profile_set", {"city": "Foshan"}, {"traits": {"city": "Foshan"}}),
        ("profile_set_once", {"city": "Foshan"}, {"traits": {"city": "Foshan"}}),
        ("profile_unset", {"city": True}, {"traits": {"city": None}, "properties": {"city": True}}),
        ("profile_increment", {"visits": 1}, {"properties": {"visits": 1}}),
        ("profile_delete", {}, {"properties": {}}),
    ],
)
def test_profiles_set_traits(kind: str, properties: dict[str, Any], fields: dict[str, Any]) -> None:
    found = event(type=kind, properties=properties)
    assert found == {"event": kind, "identifiers": {"distinct_id": "d"}, **fields}


@pytest.mark.parametrize("identities", ["x", [], None, 5])
def test_identities_of_a_strange_form_name_nobody(identities: Any) -> None:
    assert event(type="track", event="Buy", identities=identities)["identifiers"] == {"distinct_id": "d"}
