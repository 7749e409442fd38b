"""The id of an event that came without one: by its content, or by chance where nothing tells two events apart."""

import json
from typing import Any

import pytest

from models.canonical import named

EVENT: dict[str, Any] = {"event": "login", "identifiers": {"user_id": "42"}, "occurred_at": "2026-11-22T12:00:00Z"}


def name_of(event: dict[str, Any], channel: str = "web") -> str:
    found: str = json.loads(named(json.dumps(event).encode(), channel, "by chance"))["event_id"]
    return found


def test_an_event_with_an_id_stays_as_it_came() -> None:
    raw = b' { "event" : "login", "event_id" : "7" } '
    assert named(raw, "web", "by chance") == raw


def test_a_repetition_has_the_same_id_whenever_it_is_sent_and_in_whatever_order_it_is_written() -> None:
    again = dict(reversed([*EVENT.items(), ("sent_at", "2026-11-22T12:00:09Z")]))
    assert name_of(EVENT) == name_of(again)


@pytest.mark.parametrize("other", [{"event": "logout"}, {"occurred_at": "2026-11-22T12:00:01Z"}, {"properties": {"n": 1}}])
def test_another_event_has_another_id(other: dict[str, Any]) -> None:
    assert name_of(EVENT) != name_of({**EVENT, **other})


def test_each_channel_has_ids_of_its_own() -> None:
    assert name_of(EVENT, "web") != name_of(EVENT, "app")


def test_without_a_time_the_id_is_by_chance() -> None:
    assert name_of({**EVENT, "occurred_at": None}) == "by chance"


@pytest.mark.parametrize("given", ["", "  ", None, True, [1], {}])
def test_what_names_nothing_is_replaced(given: Any) -> None:
    assert name_of({**EVENT, "event_id": given}) == name_of(EVENT)


def test_the_credential_does_not_go_into_the_log() -> None:
    kept = json.loads(named(json.dumps({**EVENT, "event_id": 7, "writeKey": "k"}).encode(), "web", ""))
    assert kept == {**EVENT, "event_id": 7}


@pytest.mark.parametrize("raw", [b"", b"[1]", b'"x"', b"{", b'{"event_id":1e999}', b"[" * 5000 + b"]" * 5000])
def test_what_is_no_event_is_left_to_the_verdict(raw: bytes) -> None:
    assert named(raw, "web", "by chance") == raw
