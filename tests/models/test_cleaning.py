"""Events that are noise by themselves, and clicks that may turn out to be; each rule with what it lets through."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from app.config.policies import is_crawler
from models.cleaning import CATALOGUE, Cleaning, Switch, TestTraffic, Where, click_of, noise, rules_of
from models.event import Event, Rejected
from models.ids import EventId, Identifier

SHORT = Rejected("view_too_short", "view_too_short 1: a view counts from 1000 ms on")
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BAIDU = "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.43"
CUBOT = "Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36"
HEADLESS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0.0.0 Safari/537.36"


def event(
    name: str = "page_viewed",
    duration_ms: int | None = None,
    properties: Any = None,
    context: Any = None,
    identifiers: tuple[Identifier, ...] = (Identifier("user_id", "42"),),
) -> Event:
    told, around = msgspec.json.encode(properties or {}), msgspec.json.encode(context or {})
    return Event(EventId("e1"), name, "web", 0, 0, identifiers, told, context=around, duration_ms=duration_ms)


def reason(given: Event, cleaning: Cleaning | None = None, channel: str = "web") -> str | None:
    verdict = noise(given, rules_of(cleaning or Cleaning(), channel, is_crawler))
    return None if verdict is None else verdict.reason


@pytest.mark.parametrize(
    ("name", "duration_ms", "verdict"),
    [
        ("page_viewed", 999, SHORT),
        ("page_viewed", 0, SHORT),
        ("screen_viewed", 999, SHORT),
        ("page_viewed", 1000, None),
        ("page_viewed", 5000, None),
        ("page_viewed", None, None),
        ("video_played", 999, None),
    ],
)
def test_a_view_below_a_second_is_noise(name: str, duration_ms: int | None, verdict: Rejected | None) -> None:
    assert noise(event(name, duration_ms), rules_of(Cleaning(), "web")) == verdict


def test_what_is_short_is_a_setting() -> None:
    cleaning = Cleaning(view_events=frozenset({"video_played"}), view_ms_min=3000)
    assert noise(event("video_played", 2999), rules_of(cleaning, "web")) == Rejected(
        "view_too_short", "view_too_short 1: a view counts from 3000 ms on"
    )
    assert reason(event("page_viewed", 0), cleaning) is None


@pytest.mark.parametrize(
    ("name", "duration_ms", "found"),
    [("page_viewed", -1, "bad_time"), ("screen_viewed", -60_000, "bad_time"), ("page_viewed", 1_000, None), ("call", -1, None)],
)
def test_a_view_that_is_left_before_it_is_entered_is_noise(name: str, duration_ms: int, found: str | None) -> None:
    assert reason(event(name, duration_ms)) == found


@pytest.mark.parametrize(
    ("context", "properties", "found"),
    [
        ({"userAgent": GOOGLE}, {}, "crawler"),
        ({"user_agent": BAIDU}, {}, "crawler"),
        ({}, {"$user_agent": GOOGLE}, "crawler"),
        ({}, {"$raw_user_agent": GOOGLE}, "crawler"),
        ({"userAgent": "python-requests/2.31"}, {}, "crawler"),
        ({"userAgent": PHONE}, {}, None),
        ({"userAgent": CUBOT}, {}, None),
        ({"userAgent": HEADLESS}, {}, None),
        ({"userAgent": "okhttp/4.12.0"}, {}, None),
        ({"userAgent": None}, {}, None),
        ({"userAgent": ["Googlebot"]}, {}, None),
        ({"userAgent": "x" * 100_000}, {}, None),
        ({"page": {"title": "userAgent Googlebot"}}, {}, None),
        ({}, {"text": GOOGLE}, None),
    ],
)
def test_a_robot_is_no_customer(context: Any, properties: Any, found: str | None) -> None:
    assert reason(event(context=context, properties=properties)) == found


LOAD = TestTraffic("load", (Where("context.userAgent", matches="^k6/"),), version=3)
STAFF = TestTraffic("staff", (Where("identifiers.user_id", ("42", "43")), Where("properties.mode", ("test", "true"))))
ONLY_APP = TestTraffic("app", (Where("event", ("page_viewed",)),), channels=("app",))


@pytest.mark.parametrize(
    ("rule", "given", "found"),
    [
        (LOAD, event(context={"userAgent": "k6/0.49"}), True),
        (LOAD, event(context={"userAgent": "not k6/0.49"}), False),
        (LOAD, event(), False),
        (STAFF, event(properties={"mode": "test"}), True),
        (STAFF, event(properties={"mode": True}), True),
        (STAFF, event(properties={"mode": "live"}), False),
        (STAFF, event(properties={"mode": {"test": 1}}), False),
        (STAFF, event(properties={"mode": "test"}, identifiers=(Identifier("phone", "42"),)), False),
        (ONLY_APP, event(), False),
    ],
)
def test_tests_are_told_from_customers_by_configured_conditions(rule: TestTraffic, given: Event, found: bool) -> None:
    assert reason(given, Cleaning(test_traffic=(rule,))) == ("test_traffic" if found else None)


def test_a_rejection_names_the_rule_and_its_version() -> None:
    verdict = noise(event(context={"userAgent": "k6/1"}), rules_of(Cleaning(test_traffic=(LOAD,)), "web"))
    assert verdict == Rejected("test_traffic", "load 3: nobody is behind it")


@pytest.mark.parametrize("name", [rule.name for rule in CATALOGUE])
def test_every_rule_can_be_switched_off_everywhere_or_where_it_does_not_belong(name: str) -> None:
    guilty = {
        "exit_before_entry": event(duration_ms=-1),
        "view_too_short": event(duration_ms=1),
        "crawler": event(context={"userAgent": GOOGLE}),
        "repeated_click": event("element_clicked", properties={"element": "#buy"}),
    }[name]

    def applies(switch: Switch) -> bool:
        rules = rules_of(Cleaning(switches={name: switch}), "web", is_crawler)
        return noise(guilty, rules) is not None or click_of(guilty, rules.clicks, "t", 0, 0, b"") is not None

    assert all(map(applies, (Switch(), Switch(channels=("web", "app")))))
    assert not any(map(applies, (Switch(enabled=False), Switch(channels=("app",)))))


def test_of_several_rules_the_first_is_told() -> None:
    assert reason(event(duration_ms=1, context={"userAgent": GOOGLE})) == "view_too_short"
    assert reason(event(duration_ms=1000, context={"userAgent": GOOGLE})) == "crawler"


def subject(
    properties: Any, context: Any = None, identifiers: tuple[Identifier, ...] = (), cleaning: Cleaning | None = None
) -> str | None:
    given = event("element_clicked", None, properties, context, identifiers or (Identifier("user_id", "42"),))
    click = click_of(given, rules_of(cleaning or Cleaning(), "web").clicks, "behaviour.web", 1, 7, b"raw")
    return None if click is None else click.subject


BUY = {"element": "#buy", "path": "/cars"}
WEB = {"page": {"url": "https://shop.example.com/cars?from=ad"}}
USER, DEVICE, COOKIE = Identifier("user_id", "42"), Identifier("device_id", "d1"), Identifier("anonymous_id", "c1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((BUY,), (BUY,), True),
        ((BUY,), ({"element": "#buy", "url": "https://www.shop.example.com/cars?x=1"},), True),
        ((BUY,), ({"element": "#buy"}, WEB), True),
        ((BUY,), ({"element": "#buy"}, {"page": {"path": "/cars"}}), True),
        ((BUY,), ({"element": "#buy"}, {"page": "https://shop.example.com/cars"}), True),
        ((BUY,), ({"element": "#buy"},), False),
        ((BUY,), ({"element": "#more", "path": "/cars"},), False),
        ((BUY,), ({"element": "#buy", "path": "/news"},), False),
        (({"element": {"id": "a", "tag": "b"}},), ({"element": {"tag": "b", "id": "a"}},), True),
        ((BUY, {}, (USER, DEVICE)), (BUY, {}, (DEVICE,)), True),
        ((BUY, {}, (USER, DEVICE, COOKIE)), (BUY, {}, (USER, DEVICE)), True),
        ((BUY, {}, (USER, COOKIE)), (BUY, {}, (COOKIE,)), True),
        ((BUY, {}, (USER, DEVICE)), (BUY, {}, (USER,)), False),
        ((BUY, {}, (USER,)), (BUY, {}, (Identifier("user_id", "43"),)), False),
    ],
)
def test_clicks_are_compared_by_device_page_path_and_element(one: Any, other: Any, same: bool) -> None:
    assert (subject(*one) == subject(*other)) is same


@pytest.mark.parametrize("properties", [{}, {"element": None}, {"path": "/cars"}])
def test_a_click_on_nobody_knows_what_is_compared_with_none(properties: Any) -> None:
    assert subject(properties) is None


def test_elements_that_are_exempt_may_be_clicked_as_often_as_one_likes() -> None:
    exempt = Cleaning(click_exempt=("*quantity*", "#pay"))
    assert subject({"element": "button.quantity-plus"}, cleaning=exempt) is None
    assert subject({"element": "#pay"}, cleaning=exempt) is None
    assert subject({"element": "#pay-later"}, cleaning=exempt) is not None


def test_orders_and_payments_are_no_clicks() -> None:
    rules = rules_of(Cleaning(), "web")
    for name in ("order_paid", "payment_started", "quantity_changed"):
        assert click_of(replace(event(properties=BUY), event=name), rules.clicks, "t", 0, 0, b"") is None


def test_a_click_remembers_the_record_that_it_came_as() -> None:
    given = event("element_clicked", properties=BUY)
    click = click_of(given, rules_of(Cleaning(), "web").clicks, "behaviour.web", 1, 7, b"raw")
    assert click is not None
    assert (click.topic, click.partition, click.offset, click.raw) == ("behaviour.web", 1, 7, b"raw")


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in CATALOGUE}) == len(CATALOGUE)
