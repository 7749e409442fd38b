"""The standard of behaviour, in the words of who asked for it: what channels write in many ways becomes one thing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import load, policies_of
from models.display import rfc3339
from models.event import Event, Rejected, object_of
from models.ids import Identifier
from models.parse import Position, name_in, parse
from tests.quality.measure import NOW_MS, OWN

CONFIG = load(OWN)
POLICIES = {policy.channel: policy for policy in policies_of(CONFIG).values()}
ZONE = POLICIES["web"].zone


def read(channel: str = "web", **told: Any) -> Event | Rejected:
    record = {"event": "search", "identifiers": {"user_id": "1"}} | told
    return parse(json.dumps(record).encode(), POLICIES[channel], Position(channel, 0, 0), NOW_MS)


def standard(channel: str = "web", **told: Any) -> Event:
    event = read(channel, **told)
    assert isinstance(event, Event), event
    return event


@pytest.mark.parametrize("told", ["2024-01-31T16:30:00Z", 1706718600, 1706718600000])
def test_three_ways_to_tell_an_instant_are_one_of_the_first_of_february_in_beijing(told: Any) -> None:
    assert rfc3339(standard(occurred_at=told).occurred_at, ZONE) == "2024-02-01T00:30:00.000+08:00"


@pytest.mark.parametrize(("milliseconds", "counts"), [(999, False), (1000, True), (5000, True)])
def test_of_views_of_0_999_and_1_and_5_seconds_the_first_is_invalid(milliseconds: int, counts: bool) -> None:
    found = read(event="page_viewed", properties={"duration_ms": milliseconds})
    assert isinstance(found, Event) is counts
    assert counts or (isinstance(found, Rejected) and found.reason == "view_too_short")


@pytest.mark.parametrize(("channel", "told"), [("app", "addCart"), ("web", "add_to_cart"), ("store", "加购")])
def test_three_channels_names_of_putting_into_the_cart_are_one(channel: str, told: str) -> None:
    assert standard(channel, event=told).event == "add_to_cart"


def test_a_name_that_nobody_registered_is_kept_and_known_as_such() -> None:
    assert standard(event="foo_bar").event == "foo_bar"
    assert "foo_bar" not in CONFIG.events


def test_a_name_of_one_channel_means_nothing_in_another() -> None:
    assert standard("store", event="addCart").event == "addCart"


@pytest.mark.parametrize(
    ("address", "code"),
    [("广东省深圳市南山区", "440305"), ("北京市朝阳区", "110105"), ("长春市朝阳区", "220104"), ("朝阳区", "unknown")],
)
def test_an_address_has_the_code_of_its_region_or_none(address: str, code: str) -> None:
    assert object_of(standard(properties={"address": address}).properties)["region_code"] == code


def test_an_imei_with_the_right_check_digit_and_the_uuid_of_its_device_are_together() -> None:
    event = standard(identifiers={"imei": "490154203237518", "device_id": "u-1"})
    assert set(event.identifiers) == {Identifier("imei", "490154203237518"), Identifier("device_id", "u-1")}


def test_an_imei_with_a_wrong_check_digit_is_left_out_and_noted() -> None:
    event = standard(identifiers={"imei": "490154203237519", "device_id": "u-1"})
    assert event.identifiers == (Identifier("device_id", "u-1"),)
    assert event.dropped == (("imei", "blocked_identifier"),)


@pytest.mark.parametrize(
    ("channel", "name", "told"),
    [("store", "phone", "138 0013 8000"), ("web", "mobile", "+8613800138000"), ("app", "phone", "0086-138-0013-8000")],
)
def test_three_spellings_of_a_telephone_number_in_three_channels_are_one(channel: str, name: str, told: str) -> None:
    assert standard(channel, identifiers={name: told}).identifiers == (Identifier("phone", "+8613800138000"),)


@pytest.mark.parametrize("told", ["Ann@Example.COM", " ann@example.com ", "ANN@EXAMPLE.COM"])
def test_three_spellings_of_an_address_of_mail_are_one(told: str) -> None:
    assert standard(identifiers={"email": told}).identifiers == (Identifier("email", "ann@example.com"),)


@pytest.mark.parametrize(
    ("page", "system"),
    [
        ({"url": "https://shop.example.com/cars/m5"}, "car_sales"),
        ({"url": "http://www.shop.example.com:80/cars/m5?x=/hall/"}, "car_sales"),
        ({"title": "网上营业厅 缴费", "url": "https://shop.example.com/cars/"}, "car_sales"),
        ({"title": "网上营业厅 缴费"}, "service_hall"),
        ({"url": "https://shop.example.com/news"}, None),
    ],
)
def test_the_first_rule_that_fits_tells_the_business_system(page: Any, system: str | None) -> None:
    assert standard(context={"page": page}).business_system == system


def test_a_torn_record_is_rejected_with_a_reason_and_the_next_one_is_read() -> None:
    torn = parse(b'{"event": "search", "identif', POLICIES["web"], Position("web", 0, 0), NOW_MS)
    assert isinstance(torn, Rejected)
    assert torn.reason == "not_json"
    assert isinstance(read(), Event)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["userAgent", "user_agent", "page", "url", "path", "element", "address", "city", "mode", "entered_at", "left_at"]
PARTS = st.dictionaries(st.sampled_from(NAMES), JSON | st.sampled_from(["k6/1", "朝阳区", "/hall/x", 1_706_718_600]))
ANY = PARTS | JSON
EVENTS = st.fixed_dictionaries(
    {"event": st.sampled_from(["click", "page_viewed", "加购"]), "identifiers": st.just({"user_id": "1", "device_id": "d"})},
    optional={"properties": ANY, "traits": ANY, "context": ANY},
)


@given(EVENTS, st.sampled_from(sorted(POLICIES)))
def test_whatever_stands_in_the_parts_of_an_event_there_is_a_verdict_and_the_same_each_time(told: Any, channel: str) -> None:
    raw = json.dumps(told).encode()
    found = [parse(raw, POLICIES[channel], Position(channel, 0, 0), NOW_MS) for _ in range(2)]
    assert found[0] == found[1]
    if isinstance(found[0], Event):
        assert isinstance(json.loads(found[0].properties), dict)
        assert found[0].duration_ms is None or found[0].duration_ms >= 0


@given(st.binary(max_size=100))
def test_whatever_bytes_come_there_is_a_verdict_and_a_name_or_none(raw: bytes) -> None:
    for channel, policy in POLICIES.items():
        assert isinstance(parse(raw, policy, Position(channel, 0, 0), NOW_MS), Event | Rejected)
        assert name_in(raw, policy) is None or isinstance(name_in(raw, policy), tuple)
