"""What an edge keeps is what the centre would take."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import load, policy_of
from app.edge.sieve import Kept, Sieve
from app.settings import PACKAGED_CONFIG
from models.event import Event
from models.parse import Position, parse
from tests.app.edge.conftest import NOW, line

PACKAGED = load(PACKAGED_CONFIG)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "not_json"),
        (b"[]", "not_an_object"),
        (b'{"event": "seen"}', "no_identifier"),
        (line(1, event=None), "missing_event"),
        (line(1, occurred_at="yesterday"), "bad_time"),
        (line(1, event="page_viewed", properties={"duration_ms": 999}), "view_too_short"),
    ],
)
def test_what_the_centre_would_reject_is_held_back_with_its_reason(sieve: Sieve, raw: bytes, reason: str) -> None:
    assert sieve.judge(raw, NOW) == reason


def test_what_is_valid_stays_as_it_is(sieve: Sieve) -> None:
    kept = sieve.judge(line(1, properties={"text": "加购"}), NOW)
    assert isinstance(kept, Kept)
    assert kept.raw == line(1, properties={"text": "加购"})


def test_an_event_without_an_id_has_the_same_one_whenever_it_is_repeated(sieve: Sieve) -> None:
    first, again = (sieve.judge(line(1, event_id=None, sent_at=NOW + late), NOW + late) for late in (0, 60_000))
    assert isinstance(first, Kept)
    assert isinstance(again, Kept)
    assert (first.id, json.loads(first.raw)["event_id"]) == (again.id, json.loads(again.raw)["event_id"])


def test_without_a_time_each_event_is_one(sieve: Sieve) -> None:
    first, other = (sieve.judge(b'{"event": "seen", "identifiers": {"user_id": "42"}}', NOW) for _ in range(2))
    assert isinstance(first, Kept)
    assert isinstance(other, Kept)
    assert first.id != other.id


def test_records_of_a_format_of_their_own_keep_it(config_file: Path) -> None:
    config = load(config_file)
    crm = Sieve(config, config.channels["crm"])
    kept = crm.judge(b'{"what": "call", "who": "42"}', NOW)
    assert isinstance(kept, Kept)
    assert kept.raw == b'{"what": "call", "who": "42"}'
    assert crm.judge(b'{"what": "call"}', NOW) == "no_identifier"


@given(st.binary(max_size=80) | st.builds(line, st.integers(0, 5), sent_at=st.integers(NOW - 10**6, NOW) | st.text(max_size=9)))
def test_any_line_is_judged_as_the_centre_judges_it_then(raw: bytes) -> None:
    channel = PACKAGED.channels["web"]
    policy = policy_of(PACKAGED, channel)
    there = parse(raw, policy, Position("t", 0, 0), NOW)
    here = Sieve(PACKAGED, channel).judge(raw, NOW)
    if isinstance(there, Event):
        assert isinstance(here, Kept)
        later = parse(here.raw, policy, Position("t", 0, 0), NOW + 3 * 86_400_000)
        assert isinstance(later, Event)
        assert (later.occurred_at, later.identifiers) == (there.occurred_at, there.identifiers)
    else:
        assert here == there.reason
