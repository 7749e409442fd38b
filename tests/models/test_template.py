"""Records of a form of their own, as canonical events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.template import REST, Template, filled

ORDERS = Template(
    places={"event_id": "id", "occurred_at": "paid.at", "properties": REST},
    tables={"identifiers": {"phone": "mobile", "user_id": "account"}, "traits": {"city": "city"}},
    fixed={"event": "order_paid"},
)


def event(template: Template, **record: Any) -> Any:
    return json.loads(filled(template, json.dumps(record).encode()))


def test_each_field_is_found_at_its_place_and_the_rest_are_properties() -> None:
    record = {"id": "7", "paid": {"at": "2019-02-03 04:05"}, "mobile": "138", "city": "Foshan", "amount": 12.5, "note": "加购"}
    assert event(ORDERS, **record) == {
        "event_id": "7",
        "event": "order_paid",
        "occurred_at": "2019-02-03 04:05",
        "identifiers": {"phone": "138"},
        "traits": {"city": "Foshan"},
        "properties": {"amount": 12.5, "note": "加购"},
    }


def test_what_is_missing_is_missing() -> None:
    assert event(ORDERS) == {"event": "order_paid"}


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"null", b"\xff", b"[" * 10_000])
def test_what_is_no_object_is_left_to_whoever_rejects_it(raw: bytes) -> None:
    assert filled(ORDERS, raw) == raw


@given(st.binary(max_size=60))
def test_any_bytes_are_taken(raw: bytes) -> None:
    filled(ORDERS, raw)
