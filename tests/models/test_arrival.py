"""What waits says later what it said when it came."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrival import as_it_came
from models.event import Event
from models.mapping import Places
from models.parse import parse
from tests.models.test_parse import AT, NOON, POLICY

LATER = NOON + 5 * 86_400_000
NESTED = Places(event="type", occurred_at="meta.at", sent_at="meta.sent", identifiers={"user_id": "who"})

times = st.one_of(
    st.none(),
    st.integers(NOON - 10**9, NOON + 10**9),
    st.sampled_from(["2026-11-22T11:00:00", "2026-11-22T11:00:00.5Z", "2026-11-22", "yesterday", ""]),
)


@given(times, times)
def test_read_later_it_gives_what_it_gave_when_it_came(occurred_at: object, sent_at: object) -> None:
    said = {"event": "login", "identifiers": {"user_id": "42"}, "occurred_at": occurred_at, "sent_at": sent_at}
    raw = json.dumps(said).encode()
    then = parse(raw, POLICY, AT, NOON)
    later = parse(as_it_came(raw, None, POLICY.zone, NOON), POLICY, AT, LATER)
    if isinstance(then, Event):
        assert isinstance(later, Event)
        assert (later.occurred_at, later.time_estimated) == (then.occurred_at, then.time_estimated)
    else:
        assert isinstance(later, type(then)) or then.reason == "future_time"


def test_a_format_of_its_own_keeps_its_form() -> None:
    policy = replace(POLICY, places=NESTED)
    raw = json.dumps({"type": "call", "who": "42", "meta": {"at": NOON - 70_000, "sent": NOON - 60_000, "line": 7}}).encode()
    kept = as_it_came(raw, NESTED, POLICY.zone, NOON)
    assert json.loads(kept)["meta"] == {"at": "2026-11-22T03:59:50.000+00:00", "sent": None, "line": 7}
    assert parse(kept, policy, AT, LATER).occurred_at == NOON - 10_000  # type: ignore[union-attr]  # it is an event


def test_a_time_that_nobody_told_stays_an_estimate_in_every_format() -> None:
    policy = replace(POLICY, places=NESTED)
    kept = as_it_came(b'{"type": "call", "who": "42", "meta": {"sent": 5}}', NESTED, POLICY.zone, NOON)
    later = parse(kept, policy, AT, LATER)
    assert isinstance(later, Event)
    assert (later.occurred_at, later.time_estimated) == (NOON, True)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"occurred_at": 1790000000}', b'{"sent_at": "yesterday"}'])
def test_what_has_no_time_to_correct_stays_as_it_is(raw: bytes) -> None:
    assert as_it_came(raw, None, POLICY.zone, NOON) == raw


@given(st.binary(max_size=60))
def test_any_bytes_are_taken(raw: bytes) -> None:
    as_it_came(raw, None, POLICY.zone, NOON)
    as_it_came(raw, NESTED, POLICY.zone, NOON)
