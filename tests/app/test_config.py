"""The configuration file: what it gives."""

import re
from pathlib import Path

import pytest

from app.config import Behaviour, BusinessSystem, Config, ConfigError, Namespace, Regions, System, load
from app.settings import PACKAGED_CONFIG
from models.cleaning import Switch, TestTraffic, Where
from models.inference import Rule
from models.mapping import Places
from models.stages import Stage

SMALL = """
[identity.namespaces.user_id]
priority = 100
[identity.namespaces.phone]
priority = 60
[channels.web]
[channels.app]
"""


def config_of(folder: Path, text: str) -> Config:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_a_small_file_has_the_defaults(tmp_path: Path) -> None:
    config = config_of(tmp_path, SMALL)
    assert list(config.namespaces.values()) == [Namespace("user_id", 100, order=0), Namespace("phone", 60, order=1)]
    web = config.channels["web"]
    assert (web.topic, web.format, web.partitions, web.time_zone, web.map) == (
        "behaviour.web",
        "canonical",
        2,
        "Asia/Shanghai",
        None,
    )
    assert (config.topics.partitions, config.topics.replication, config.identity.cluster_limit) == (8, 1, 100)
    assert (config.cleaning.view_ms_min, config.cleaning.click_gap_ms) == (1000, 60000)
    assert (config.stages, config.systems, config.business_systems) == ((), {}, ())
    assert config.workers.standbys == 0


def test_the_packaged_example_has_all_namespaces_and_channels() -> None:
    config = load(PACKAGED_CONFIG)
    namespaces = "user_id member_id phone email account_no wechat_unionid wechat_openid wecom_userid wecom_external_userid"
    channels = "web app mini_program wechat wecom online_hall palm_hall hotline online_service marketing store iot"
    assert set(config.namespaces) == {*namespaces.split(), "order_user_id", "device_id", "imei", "anonymous_id", "distinct_id"}
    assert list(config.channels) == channels.split()
    assert config.channels["web"].write_keys == ("dev-web",)
    assert (config.namespaces["user_id"].limit, config.namespaces["distinct_id"].limit) == (1, None)
    assert (config.namespaces["phone"].normalise, config.namespaces["email"].normalise) == ("phone", "email")
    assert config.events["add_to_cart"].synonyms == ("addCart", "加购")


def test_what_the_packaged_example_only_shows_is_right_too(tmp_path: Path) -> None:
    shown = re.sub(r"(?m)^# (\[\[?[a-z._]+\]\]?|[a-z_]+ = )", r"\1", PACKAGED_CONFIG.read_text(encoding="utf-8"))
    config = config_of(tmp_path, shown)
    crm = config.channels["crm"]
    assert (crm.format, crm.time_zone) == ("map", "UTC")
    assert crm.map == Places(
        event="type",
        event_id="meta.uuid",
        occurred_at="meta.created",
        properties="payload",
        identifiers={"member_id": "customer.card", "phone": "customer.mobile"},
    )
    assert config.systems == {
        "orders": System("orders", "http://127.0.0.1:9100/behaviours", "order_user_id", 800, "ORDERS_TOKEN")
    }
    cart = Rule(
        "cart_before_order", "order_paid", "add_to_cart", "product_viewed", frozenset({"checkout_started"}), same="product_id"
    )
    assert (config.journey.session_gap_ms, config.journey.inferences) == (1_800_000, (cart,))


ALL = """
[display]
time_zone = "UTC"
[topics]
channel_partitions = 3
[identity]
cluster_limit = 50
[cleaning]
view_events = ["seen"]
view_ms_min = 0
click_exempt = "*qty*"
crawler_exempt = []
[cleaning.rules.crawler]
enabled = false
[cleaning.rules.repeated_click]
channels = ["app"]
[[cleaning.test_traffic]]
name = "load"
version = 2
where = [{ field = "context.userAgent", matches = "^k6/" }]
[regions]
properties = ["address"]
traits = ["province+city"]
[events.bought]
version = 2
synonyms = ["purchase", "买"]
synonyms_in = { app = ["Kauf"] }
description = "order_id"
[[business_systems]]
name = "cars"
url = "/cars/*"
[[business_systems]]
name = "hall"
url = ["https://hall.example.com/*"]
page = "Hall*"
event = ["hall_*"]
[[journey.stages]]
name = "purchase"
events = ["bought"]
channels = ["app", "orders"]
properties = { status = "ok", paid = true }
[systems.orders]
url = "https://orders.example.com/b?x=1"
namespace = "user_id"
"""


def test_every_section_is_read(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        ALL + SMALL + 'topic = "behaviour.mobile"\npartitions = 5\nwrite_keys = "k"\nnamespaces = { uid = "user_id" }\n',
    )
    app = config.channels["app"]
    assert (app.topic, app.partitions, app.write_keys, app.namespaces) == ("behaviour.mobile", 5, ("k",), {"uid": "user_id"})
    assert (config.channels["web"].partitions, config.channels["web"].time_zone) == (3, "UTC")
    assert config.business_systems == (
        BusinessSystem("cars", ("/cars/*",)),
        BusinessSystem("hall", ("https://hall.example.com/*",), ("Hall*",), ("hall_*",)),
    )
    conditions = (("status", "ok"), ("paid", True))
    assert config.stages == (Stage("purchase", frozenset({"bought"}), frozenset({"app", "orders"}), conditions),)
    assert config.systems["orders"].timeout_ms == 800
    assert (config.cleaning.view_events, config.cleaning.view_ms_min) == (frozenset({"seen"}), 0)
    assert config.events == {"bought": Behaviour("bought", 2, ("purchase", "买"), {"app": ("Kauf",)}, "order_id")}
    assert config.identity.cluster_limit == 50
    assert config.cleaning.switches == {"crawler": Switch(False), "repeated_click": Switch(True, ("app",))}
    assert config.cleaning.test_traffic == (TestTraffic("load", (Where("context.userAgent", matches="^k6/"),), 2),)
    assert (config.cleaning.click_exempt, config.cleaning.crawler_exempt) == (("*qty*",), ())
    assert config.regions == Regions(("address",), ("province+city",))


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read: No such file"):
        load(tmp_path / "gone.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"bytes\.toml: is not TOML"):
        load(tmp_path / "bytes.toml")
