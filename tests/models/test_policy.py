"""What a door has to know of a channel's rules: enough for the same verdicts, and no more."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from models.cleaning import Cleaning, TestTraffic, Where, rules_of
from models.event import Event, Rejected
from models.parse import parse
from tests.models.test_parse import AT, NEARLY, NOON, POLICY


@given(st.binary(max_size=200) | NEARLY.map(lambda record: json.dumps(record).encode()))
def test_a_door_rejects_what_the_workers_reject(raw: bytes) -> None:
    at_door, in_worker = parse(raw, POLICY.for_verdicts(), AT, NOON), parse(raw, POLICY, AT, NOON)
    assert at_door == in_worker or (isinstance(at_door, Event) and isinstance(in_worker, Event))


def test_a_door_asks_for_the_business_system_where_a_rule_does() -> None:
    tests = TestTraffic("no cars", (Where("business_system", ("cars",)),))
    policy = replace(POLICY, cleaning=rules_of(Cleaning(test_traffic=(tests,)), "web"))
    on_page = {
        "event": "login",
        "identifiers": {"user_id": "42"},
        "context": {"page": {"url": "https://shop.example.com/cars/7"}},
    }
    found = parse(json.dumps(on_page).encode(), policy.for_verdicts(), AT, NOON)
    assert isinstance(found, Rejected)
    assert found.reason == "test_traffic"
