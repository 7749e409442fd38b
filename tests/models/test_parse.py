"""What a record of a channel becomes: one line a case, to be read by who knows the business.

The channel is `web` in Shanghai; a record came in at noon, 2026-11-22T12:00:00+08:00, as offset 5 of partition 0.
"""

import json
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.business import BusinessRule, url_pattern
from models.event import Event, Reason, Rejected
from models.identifiers import NamespaceRule, Namespaces
from models.ids import EventId, Identifier
from models.normalise import NORMALISERS
from models.parse import Position, parse
from models.policy import Policy
from models.stages import Stage

AT = Position("onetrail.behaviour.web", 0, 5)
RANKED = {"user_id": "none", "phone": "phone", "anonymous_id": "none"}
POLICY = Policy(
    channel="web",
    zone=ZoneInfo("Asia/Shanghai"),
    namespaces=Namespaces({name: NamespaceRule(name, rank, NORMALISERS[how]) for rank, (name, how) in enumerate(RANKED.items())}),
    renamed={"userId": "user_id"},
    synonyms={"加购": "add_to_cart"},
    business=(BusinessRule("cars", urls=(url_pattern("https://shop.example.com/cars/*"),)),),
    stages={"order_paid": (Stage("purchase", frozenset({"order_paid"}), properties=(("status", "ok"),)),)},
)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


NOON = ms("2026-11-22T12:00:00+08:00")


def read(raw: bytes | None) -> Event | Rejected:
    return parse(raw, POLICY, AT, NOON)


def event(**fields: object) -> Event:
    given = {"event": "login", "identifiers": {"user_id": "42"}, **fields}
    found = read(json.dumps(given).encode())
    assert isinstance(found, Event), found
    return found


def test_a_full_event_keeps_all_it_says() -> None:
    raw = """{"event_id": "b2c1", "event": "page_viewed", "occurred_at": "2026-11-22T11:00:00.123+08:00",
        "identifiers": {"userId": "42", "phone": ["138 0013 8000"], "passport": "E1"},
        "properties": {"entered_at": "2026-11-22T11:00:00", "left_at": "2026-11-22T11:00:03.5", "n": 1e400, "s": "\\u4f60\\n"},
        "traits": {"city": "佛山"}, "context": {"page": {"url": "https://shop.example.com/cars/7?x"}, "ip": "10.0.0.1"}}"""
    found = read(raw.encode())
    assert found == Event(
        event_id=EventId("b2c1"),
        event="page_viewed",
        channel="web",
        occurred_at=ms("2026-11-22T11:00:00.123+08:00"),
        received_at=NOON,
        identifiers=(Identifier("user_id", "42"), Identifier("phone", "+8613800138000")),
        properties=b'{"entered_at": "2026-11-22T11:00:00", "left_at": "2026-11-22T11:00:03.5", "n": 1e400, "s": "\\u4f60\\n"}',
        traits='{"city": "佛山"}'.encode(),
        context=b'{"page": {"url": "https://shop.example.com/cars/7?x"}, "ip": "10.0.0.1"}',
        business_system="cars",
        duration_ms=3500,
        dropped=(("passport", "unknown_namespace"),),
    )


ME = '"identifiers":{"user_id":"42"}'
REJECTED: list[tuple[str | bytes, Reason]] = [
    (f'{{"event":"{"x" * 40000}"}}', "too_large"),
    (b"\xff" * 32769, "too_large"),
    ("", "not_json"),
    (" ", "not_json"),
    ("hello", "not_json"),
    ('{"event":"login"', "not_json"),
    (f'{{"event":"login",{ME}}} tail', "not_json"),
    (f'{{"event":"login",{ME},}}', "not_json"),
    (f'{{"event":"login",{ME},"properties":{{"a":NaN}}}}', "not_json"),
    (f'{{"event":"login",{ME},"x":-Infinity}}', "not_json"),
    ("{'event':'login'}", "not_json"),
    (f'{{"event":"login",{ME},"properties":{{"a":01}}}}', "not_json"),
    (f'{{"event":"login",{ME},"properties":{{"a":"\x01"}}}}', "not_json"),
    (b'{"event":"login","identifiers":{"user_id":"42"},"properties":{"a":"\xff"}}', "not_json"),
    (b'{"event":"login","identifiers":{"user_id":"42"},"x":"\xed\xa0\x80"}', "not_json"),
    (b"\xef\xbb\xbf{}", "not_json"),
    ("[1,2", "not_json"),
    ('"open', "not_json"),
    (f'{{"event":"login",{ME},"properties":{"[" * 101}{"]" * 101}}}', "not_json"),
    ("[" * 30000, "not_json"),
    (f'{{"properties":{"[" * 15000}{"]" * 15000}}}', "not_json"),
    ("[]", "not_an_object"),
    (f'[{{"event":"login",{ME}}}]', "not_an_object"),
    ("null", "not_an_object"),
    ("42", "not_an_object"),
    ("1e999", "not_an_object"),
    ('"login"', "not_an_object"),
    ("{}", "missing_event"),
    (f'{{"event":null,{ME}}}', "missing_event"),
    (f'{{"event":"",{ME}}}', "missing_event"),
    (f'{{"event":"  ",{ME}}}', "missing_event"),
    (f'{{"Event":"login",{ME}}}', "missing_event"),
    (f'{{"event":7,{ME}}}', "bad_event"),
    (f'{{"event":true,{ME}}}', "bad_event"),
    (f'{{"event":["login"],{ME}}}', "bad_event"),
    (f'{{"event":1e999,{ME}}}', "bad_event"),
    (f'{{"event":"{"x" * 201}",{ME}}}', "bad_event"),
    ('{"event":"login"}', "no_identifier"),
    ('{"event":"login","identifiers":null}', "no_identifier"),
    ('{"event":"login","identifiers":{}}', "no_identifier"),
    ('{"event":"login","identifiers":[]}', "no_identifier"),
    ('{"event":"login","identifiers":{"user_id":null}}', "no_identifier"),
    ('{"event":"login","identifiers":{"user_id":true}}', "no_identifier"),
    ('{"event":"login","identifiers":{"user_id":1e999}}', "no_identifier"),
    (f'{{"event":"login","identifiers":{{"user_id":{"9" * 513}}}}}', "no_identifier"),
    (f'{{"event":"login","identifiers":{{"user_id":{"9" * 5000}}}}}', "no_identifier"),
    ('{"event":"login","identifiers":{"passport":"E1","user_id":"null"}}', "unknown_namespace"),
    ('{"event":"login","identifiers":{"user_id":"null","phone":true}}', "blocked_identifier"),
    ('{"event":"login","identifiers":{"user_id":"-1"}}', "blocked_identifier"),
    ('{"event":"login","identifiers":{"user_id":0}}', "blocked_identifier"),
    ('{"event":"login","identifiers":{"user_id":"torn\\ud83d"}}', "blocked_identifier"),
    (f'{{"event":"login",{ME},"occurred_at":""}}', "bad_time"),
    (f'{{"event":"login",{ME},"occurred_at":"yesterday"}}', "bad_time"),
    (f'{{"event":"login",{ME},"occurred_at":-1}}', "bad_time"),
    (f'{{"event":"login",{ME},"occurred_at":true}}', "bad_time"),
    (f'{{"event":"login",{ME},"occurred_at":{{}}}}', "bad_time"),
    (f'{{"event":"login",{ME},"occurred_at":1e999}}', "bad_time"),
    (f'{{"event":"login",{ME},"sent_at":"yesterday"}}', "bad_time"),
    (f'{{"event":"login",{ME},"occurred_at":0,"sent_at":"2026-11-22T13:00:00"}}', "bad_time"),
    (f'{{"event":"login",{ME},"occurred_at":"2026-11-23T12:00:00.001"}}', "future_time"),
    (f'{{"event":"login",{ME},"occurred_at":{"9" * 4000}}}', "future_time"),
    ('{"event":"login","occurred_at":"","identifiers":{"user_id":"null"}}', "blocked_identifier"),
    ('{"event":7,"occurred_at":""}', "bad_event"),
    (json.dumps({"event": "login", "identifiers": {"user_id": [f"u{n}" for n in range(21)]}}), "too_many_identifiers"),
    (json.dumps({"event": "x", "occurred_at": "", "identifiers": {"user_id": [f"u{n}" for n in range(21)]}}), "bad_time"),
    (f'{{"event":"page_viewed",{ME},"properties":{{"duration_ms":999}}}}', "view_too_short"),
    (f'{{"event":"page_viewed",{ME},"properties":{{"entered_at":1422837008000,"left_at":1422837008999}}}}', "view_too_short"),
    (f'{{"event":"page_viewed",{ME},"properties":{{"entered_at":1422837008999,"left_at":1422837008000}}}}', "bad_time"),
]


@pytest.mark.parametrize(("raw", "reason"), REJECTED)
def test_what_is_no_event_is_rejected_with_the_first_reason(raw: str | bytes, reason: Reason) -> None:
    found = read(raw.encode() if isinstance(raw, str) else raw)
    assert isinstance(found, Rejected), found
    assert found.reason == reason
    assert found.rule


def test_a_null_record_is_rejected_too() -> None:
    found = read(None)
    assert isinstance(found, Rejected)
    assert found.reason == "not_json"


def test_no_rule_repeats_what_was_sent() -> None:
    found = read(b'{"event":"login","identifiers":{"user_id":"undefined","secret":"li.lei@example.com"}}')
    assert isinstance(found, Rejected)
    assert not re.search("secret|li.lei|undefined", found.rule)


TIMES: list[tuple[object, object, str, bool]] = [
    # occurred_at, sent_at, the instant, whether it is an estimate
    ("2026-11-22T11:00:00", None, "2026-11-22T11:00:00+08:00", False),
    ("2026-11-22T11:00:00Z", None, "2026-11-22T11:00:00+00:00", False),
    ("2026-11-23T12:00:00", None, "2026-11-23T12:00:00+08:00", False),  # exactly 24 h ahead
    (1422837008276, None, "2015-02-02T00:30:08.276+00:00", False),
    (None, None, "2026-11-22T12:00:00+08:00", True),
    # the sender's clock is an hour fast, then a year slow
    ("2026-11-22T12:59:00", "2026-11-22T13:00:00", "2026-11-22T11:59:00+08:00", False),
    ("2025-11-22T11:59:00", "2025-11-22T12:00:00", "2026-11-22T11:59:00+08:00", False),
    ("2026-11-25T11:59:00", "2026-11-25T12:00:00", "2026-11-22T11:59:00+08:00", False),
    # it says only when it sent, and that was when it came
    (None, "2026-11-22T13:00:00", "2026-11-22T12:00:00+08:00", True),
]


@pytest.mark.parametrize(("occurred_at", "sent_at", "meant", "estimated"), TIMES)
def test_an_event_lies_when_it_happened(occurred_at: object, sent_at: object, meant: str, estimated: bool) -> None:
    found = event(occurred_at=occurred_at, sent_at=sent_at)
    assert (found.occurred_at, found.time_estimated) == (ms(meant), estimated)


EVENT_IDS: list[tuple[object, str]] = [
    ("b2c1", "b2c1"),
    (77, "77"),
    ("x" * 200, "x" * 200),
    ("x" * 201, "12bf1cc881648017342067435dc826c6"),
    (None, "onetrail.behaviour.web:0:5"),
    ("", "onetrail.behaviour.web:0:5"),
    (" ", "onetrail.behaviour.web:0:5"),
    (True, "onetrail.behaviour.web:0:5"),
    (["b2c1"], "onetrail.behaviour.web:0:5"),
]


@pytest.mark.parametrize(("given", "named"), EVENT_IDS)
def test_every_event_has_a_name_of_its_own_that_stays(given: object, named: str) -> None:
    assert event(event_id=given).event_id == named


@pytest.mark.parametrize("part", ["properties", "traits", "context"])
@pytest.mark.parametrize("given", ["null", "[]", "7", '"text"', "true", "{}"])
def test_what_is_no_object_is_an_empty_one(part: str, given: str) -> None:
    found = read(f'{{"event":"login",{ME},"{part}": {given} }}'.encode())
    assert isinstance(found, Event)
    assert getattr(found, part) == b"{}"


def test_the_last_of_two_equal_keys_counts() -> None:
    found = read(f'{{"event":"login","event":"logout",{ME}}}'.encode())
    assert isinstance(found, Event)
    assert found.event == "logout"


def test_half_an_emoji_is_mended_so_that_answers_can_be_read() -> None:
    found = read(
        f'{{"event":"login",{ME},"properties":{{"a":"\\ud83d","b":"\\ud83d\\ude00","c":"\\\\ud83d","d":"\\uDE00"}}}}'.encode()
    )
    assert isinstance(found, Event)
    assert json.loads(found.properties) == {"a": "\ufffd", "b": "😀", "c": "\\ud83d", "d": "\ufffd"}


def test_one_impossible_number_spoils_its_own_field_only() -> None:
    found = read(f'{{"event":"login","event_id":1e999,{ME},"properties":{{"duration_ms":1e999}}}}'.encode())
    assert isinstance(found, Event)
    assert (found.event_id, found.duration_ms) == ("onetrail.behaviour.web:0:5", None)
    assert found.properties == b'{"duration_ms":1e999}'


def test_other_names_of_an_event_are_one() -> None:
    assert event(event=" 加购 ").event == "add_to_cart"


DURATIONS: list[tuple[dict[str, object], int | None]] = [
    ({"duration_ms": 1500}, 1500),
    ({"duration_ms": 1500.4}, 1500),
    ({"duration_ms": 1500, "entered_at": 1422837000, "left_at": 1422837002}, 1500),
    ({"entered_at": 1422837000, "left_at": 1422837002}, 2000),
    ({"entered_at": "2026-11-22T11:00:00", "left_at": "2026-11-22T03:00:02Z"}, 2000),
    ({"entered_at": 1422837002}, None),
    ({"entered_at": "early", "left_at": 1422837000}, None),
    ({"duration_ms": -5}, None),
    ({"duration_ms": True}, None),
    ({"duration_ms": 1e300}, None),
    ({}, None),
]


@pytest.mark.parametrize(("properties", "meant"), DURATIONS)
def test_a_duration_is_told_or_lies_between_two_times(properties: dict[str, object], meant: int | None) -> None:
    assert event(event="page_viewed", properties=properties).duration_ms == meant


def test_an_event_enters_the_first_stage_that_it_matches() -> None:
    assert event(event="order_paid", properties={"status": "ok"}).stage == "purchase"
    assert event(event="order_paid", properties={"status": "failed"}).stage is None
    assert event().stage is None


def test_twenty_identifiers_are_not_too_many() -> None:
    assert len(event(identifiers={"user_id": [f"u{number}" for number in range(20)] + ["u0", "null"]}).identifiers) == 20


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3))
KEYS = st.sampled_from(["event", "event_id", "occurred_at", "sent_at", "identifiers", "properties", "traits", "context"])
NEARLY = st.dictionaries(KEYS, VALUES | st.just({"user_id": "42"}) | st.just("2026-11-22T11:00:00"))


@given(st.binary(max_size=200) | NEARLY.map(lambda record: json.dumps(record).encode()))
def test_anything_is_an_event_or_rejected_and_always_the_same(raw: bytes) -> None:
    found = read(raw)
    assert isinstance(found, Event | Rejected)
    assert read(raw) == found


@given(NEARLY.map(lambda record: {"event": "login", **record, "identifiers": {"user_id": "42"}}))
def test_every_event_can_be_stored_and_answered(record: dict[str, object]) -> None:
    found = read(json.dumps(record).encode())
    if isinstance(found, Event):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Event) == found
        assert 0 <= found.occurred_at <= NOON + 86_400_000
        for part in (found.properties, found.traits, found.context):
            assert isinstance(json.loads(part.decode()), dict)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2026, 11, 22)), st.integers(-(10**10), 10**10))
def test_however_wrong_a_clock_is_its_events_lie_right(moment: datetime, error_ms: int) -> None:
    occurred_at = round(moment.replace(tzinfo=POLICY.zone).timestamp() * 1000)
    assert event(occurred_at=occurred_at + error_ms, sent_at=NOON + error_ms).occurred_at == occurred_at
