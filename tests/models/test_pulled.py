"""Answers of business systems: pages, and events that become complete by themselves."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.event import Event
from models.ids import EventId, Identifier
from models.pulled import Page, adopted, belongs, page

ASKED = Identifier("order_user_id", "7")
OTHER = Identifier("phone", "+8613800138000")


def becomes(event: Any, system: str = "orders", asked: Identifier = ASKED) -> Any:
    return json.loads(adopted(json.dumps(event).encode(), system, asked))


@pytest.mark.parametrize(
    "without", [{}, {"identifiers": None}, {"identifiers": {}}, {"identifiers": {"phone": None, "email": []}}]
)
def test_an_event_without_identifiers_is_of_whom_was_asked_about(without: dict[str, Any]) -> None:
    assert becomes({"event_id": "o-1", "event": "x", **without})["identifiers"] == {"order_user_id": "7"}


@pytest.mark.parametrize("own", [{"phone": "138 0013 8000"}, {"shoe_size": "42"}, {"user_id": "null"}])
def test_identifiers_of_its_own_stay_right_or_wrong(own: dict[str, Any]) -> None:
    assert becomes({"event_id": "o-1", "event": "x", "identifiers": own})["identifiers"] == own


def test_an_event_that_is_complete_passes_as_it_came() -> None:
    raw = b'{ "event_id" : 1, "event":"x","identifiers":{"phone":"1"} , "properties":{"n":1.50}}'
    assert adopted(raw, "orders", ASKED) == raw


def test_an_event_without_id_has_the_same_id_again() -> None:
    told = {"event": "order_paid", "occurred_at": 1_790_000_000, "properties": {"a": 1, "b": "车"}}
    again = dict(reversed(told.items()))
    assert becomes(told)["event_id"] == becomes(again)["event_id"] == becomes({**again, "event_id": " "})["event_id"]


@pytest.mark.parametrize("other", [{"occurred_at": 2}, {"properties": {"a": 2}}, {"event": "order_made"}])
def test_another_event_without_id_has_another_id(other: dict[str, Any]) -> None:
    told = {"event": "order_paid", "occurred_at": 1, "properties": {"a": 1}}
    assert becomes(told)["event_id"] != becomes({**told, **other})["event_id"]


def test_the_same_event_in_another_system_is_another_one() -> None:
    told = {"event": "order_paid", "occurred_at": 1}
    assert becomes(told, "orders")["event_id"] != becomes(told, "crm")["event_id"]


def test_when_it_was_sent_does_not_move_an_event() -> None:
    told = becomes({"event_id": "1", "event": "x", "occurred_at": 5, "sent_at": 9, "identifiers": {"phone": "1"}})
    assert (told["occurred_at"], "sent_at" in told) == (5, False)


def test_when_it_was_sent_is_the_best_time_where_there_is_no_other() -> None:
    assert becomes({"event_id": "1", "event": "x", "sent_at": 9, "identifiers": {"phone": "1"}})["occurred_at"] == 9


@pytest.mark.parametrize(
    "raw", [b"3", b'"x"', b"null", b"[{}]", b"", b"{", b'{"event_id":1e999}', b'{"identifiers":' + b"[" * 9_999]
)
def test_what_is_no_event_passes_for_others_to_reject(raw: bytes) -> None:
    assert adopted(raw, "orders", ASKED) == raw


@given(st.binary())
def test_any_bytes_may_be_in_an_answer(raw: bytes) -> None:
    adopted(raw, "orders", ASKED)
    page(raw)


@given(
    st.dictionaries(st.sampled_from(["event_id", "event", "occurred_at", "sent_at", "identifiers"]), st.none() | st.integers())
)
def test_what_was_completed_is_complete(event: dict[str, Any]) -> None:
    once = adopted(json.dumps(event).encode(), "orders", ASKED)
    assert adopted(once, "orders", OTHER) == once


def told(body: bytes) -> Page:
    found = page(body)
    assert found is not None
    return found


def test_a_page_holds_events_as_they_came() -> None:
    found = told(b'{"events":[{"a": 1.50},"x"],"next":"\\u5ba2","more":[]}')
    assert ([bytes(raw) for raw in found.events], found.next) == ([b'{"a": 1.50}', b'"x"'], "客")
    assert (told(b'{"events":[]}').next, told(b'{"events":[],"next":7}').next) == (None, 7)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"events":null}', b'{"events":[],"next":[]}', b"\xff", b'{"events":[' + b"[" * 99_999]
)
def test_what_is_no_page_is_refused(body: bytes) -> None:
    assert page(body) is None


def event(*identifiers: Identifier) -> Event:
    return Event(EventId("e"), "x", "orders", 10, 20, identifiers)


@pytest.mark.parametrize(
    ("identifiers", "erased_at", "belonging"),
    [
        ((ASKED,), {ASKED: -1}, True),
        ((OTHER, ASKED), {OTHER: -1}, True),  # a new name of the same person
        ((OTHER, ASKED), {OTHER: None}, False),  # its anchor is somebody else
        ((OTHER, ASKED), {}, False),  # nobody looked who it is
        ((OTHER,), {OTHER: -1}, False),  # nothing in it is of this person
        ((ASKED,), {ASKED: 10}, False),  # from before an erasure
        ((ASKED,), {ASKED: 9}, True),
    ],
)
def test_the_anchor_decides_whose_an_event_is(
    identifiers: tuple[Identifier, ...], erased_at: dict[Identifier, int | None], belonging: bool
) -> None:
    assert belongs(event(*identifiers), {ASKED}.__contains__, erased_at) is belonging
