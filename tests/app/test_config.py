"""The configuration file: what it gives, and the one line that each broken rule gives."""

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


BROKEN = [
    ("= 1", "is not TOML"),
    ("[identity]", "identity.namespaces: must declare at least one"),
    ("[identity.namespaces.user_id]\npriority = 1", "channels: must declare at least one"),
    (SMALL + "[dispaly]", "dispaly: there is no such key; did you mean 'display'?"),
    (SMALL + "[qqq]", "qqq: there is no such key; known are "),
    (SMALL + "[display]\ntime_zone = 'Asia/Peking'", "display.time_zone: 'Asia/Peking' is not a time zone"),
    (SMALL + "[display]\ntime_zone = '../etc'", "display.time_zone: "),
    (SMALL + "[display]\ntime_zone = 8", "display.time_zone: must be text, not 8"),
    ("display = 'UTC'\n" + SMALL, "display: must be a table, [display], not 'UTC'"),
    (SMALL + "[topics]\npartitions = 0", "topics.partitions: must be a whole number from 1 to 1000, not 0"),
    (SMALL + "[topics]\npartitions = true", "topics.partitions: must be a whole number"),
    (SMALL + "[topics]\npartitions = 2.0", "topics.partitions: must be a whole number"),
    (SMALL + "[topics]\npartition = 2", "topics.partition: there is no such key; did you mean 'partitions'?"),
    (
        SMALL + "[identity.namespaces.x]",
        "identity.namespaces.x.priority: must be a whole number from -1000000 to 1000000, it is missing",
    ),
    (SMALL + "[identity.namespaces.x]\npriority = 1\nlimit = 0", "identity.namespaces.x.limit: must be a whole number from 1"),
    (
        SMALL + "[identity.namespaces.x]\npriority = 1\nnormalise = 'emial'",
        "normalise: must be one of none, lower, email, phone,",
    ),
    (SMALL + "[identity.namespaces.x]\npriority = 1\nnormalise = 'emial'", "did you mean 'email'?"),
    (
        SMALL + "[identity.namespaces.x]\npriority = 1\nblock = ['(']",
        "identity.namespaces.x.block: '(' is not a regular expression",
    ),
    (SMALL + "[identity.namespaces.x]\npriority = 1\nblock = [1]", "identity.namespaces.x.block: must be a list of texts"),
    (SMALL + "[identity.namespaces.'a:b']\npriority = 1", "identity.namespaces.a:b: a namespace has"),
    (SMALL + "[identity.namespaces]\nx = 1", "identity.namespaces.x: must be a table, [identity.namespaces.x], not 1"),
    (SMALL + "[channels.'a b']", "channels.a b: a channel's name has"),
    (
        SMALL + "[channels.x]\nformat = 'segmnt'",
        "channels.x.format: must be one of canonical, segment, sensors, map, not 'segmnt'; did you mean",
    ),
    (SMALL + "[channels.x]\ntopic = 'a b'", "channels.x.topic: must have"),
    (SMALL + "[channels.x]\ntopic = 'behaviour.web'", "channels.x.topic: 'behaviour.web' is too like the topic of channel 'web'"),
    (SMALL + "[channels.x]\ntopic = 'behaviour_web'", "channels.x.topic: 'behaviour_web' is too like the topic of channel 'web'"),
    (SMALL + "[channels.rejected]", "channels.rejected.topic: 'behaviour.rejected' is a topic of the system itself"),
    (
        SMALL + "[channels.x]\nnamespaces = { a = 'user' }",
        "channels.x.namespaces: 'user' is not a declared namespace; did you mean 'user_id'?",
    ),
    (SMALL + "[channels.x]\nnamespaces = { a = 1 }", "channels.x.namespaces.a: must be text, not 1"),
    (
        SMALL + "[channels.x]\nwrite_keys=['k']\n[channels.y]\nwrite_keys=['k']",
        "channels.y.write_keys: 'k' belongs to channel 'x'",
    ),
    (SMALL + "[channels.x]\nwrite_keys=['k', 'k']", "channels.x.write_keys: names something twice"),
    (SMALL + "[channels.x.map]\nevent = 'e'", 'channels.x.map: is only for format = "map"'),
    (SMALL + "[channels.x]\nformat = 'map'", "channels.x.map.identifiers: must give the place of at least one identifier"),
    (
        SMALL + "[channels.x]\nformat = 'map'\n[channels.x.map.identifiers]\nuser_id = 'a'",
        "channels.x.map.event: must be the dotted place",
    ),
    (SMALL + "[channels.x]\nformat = 'map'\n[channels.x.map.identifiers]\nuser = 'a'", "'user' is not a declared namespace"),
    (
        SMALL + "[channels.x]\nformat = 'map'\n[channels.x.map.identifiers]\nuser_id = 'a..b'",
        "identifiers.user_id: must be a dotted place",
    ),
    (
        SMALL + "[[business_systems]]\nurl = 'x'",
        "business_systems[1].name: must be the name of a business system, and it is missing",
    ),
    (
        SMALL + "[[business_systems]]\nname = 'x'\n[[business_systems]]\nname = 'x'",
        "business_systems[2].name: 'x' is declared twice",
    ),
    ("business_systems = 1\n" + SMALL, "business_systems: must be a list of tables, [[business_systems]]"),
    (SMALL + "[[journey.stages]]\nname = 'x'", "journey.stages[1].events: must be a list of texts, and it is missing"),
    (SMALL + "[[journey.stages]]\nname = 'x'\nevents = []", "journey.stages[1].events: must name at least one event"),
    (
        SMALL + "[[journey.stages]]\nname = 'x'\nevents = ['e']\nchannels = ['wbe']",
        "'wbe' is not a declared channel; did you mean 'web'?",
    ),
    (
        SMALL + "[[journey.stages]]\nname='x'\nevents=['e']\n[[journey.stages]]\nname='x'\nevents=['f']",
        "stages[2].name: 'x' is declared twice",
    ),
    (
        SMALL + "[[journey.stages]]\nname = 'x'\nevents = ['e']\nproperties = { a = [1] }",
        "stages[1].properties.a: must be a text, number",
    ),
    (SMALL + "[journey]\nkeep_days = 0", "journey.keep_days: must be a whole number from 1 to 36500"),
    (SMALL + "[journey]\nsession_gap_minutes = 0", "journey.session_gap_minutes: must be a whole number from 1 to 1440"),
    (SMALL + "[[journey.inferences]]\nname = 'x'", "inferences[1].event: must be the name of an event, and it is missing"),
    (
        SMALL + "[[journey.inferences]]\nname = 'x'\nevent = 'a'\nneeds = 'b'\nafter = 'b'",
        "inferences[1].needs: must be another event",
    ),
    (SMALL + "[journey]\nstage = 1", "journey.stage: there is no such key; did you mean 'stages'?"),
    (SMALL + "[systems.s]\nurl = 'ftp://h/x'\nnamespace = 'user_id'", "systems.s.url: must be an address like http://host/path"),
    (
        SMALL + "[systems.s]\nurl = 'http://[h/x'\nnamespace = 'user_id'",
        "systems.s.url: must be an address like http://host/path",
    ),
    (SMALL + "[systems.s]\nurl = 'http://h/x'", "systems.s.namespace: must be a declared namespace, and it is missing"),
    (
        SMALL + "[systems.s]\nurl = 'http://h/x'\nnamespace = 'fone'",
        "systems.s.namespace: 'fone' is not a declared namespace; did you",
    ),
    (SMALL + "[systems.web]\nurl = 'http://h/x'\nnamespace = 'phone'", "systems.web: a system's name is the channel"),
    (
        SMALL + "[events.a]\nsynonyms = ['c']\n[events.b]\nsynonyms = ['c']",
        "events.b.synonyms: 'c' is a name of another event already",
    ),
    (SMALL + "[events.a]\nsynonyms = ['b']\n[events.b]", "events.a.synonyms: 'b' is a name of another event already"),
    (SMALL + "[cleaning]\nview_ms_min = -1", "cleaning.view_ms_min: must be a whole number from 0"),
    (SMALL + "[cleaning.rules.crawlers]", "cleaning.rules.crawlers: 'crawlers' is not a declared rule; did you mean 'crawler'?"),
    (SMALL + "[cleaning.rules.crawler]\nenabled = 1", "cleaning.rules.crawler.enabled: must be true or false, not 1"),
    (SMALL + "[cleaning.rules.crawler]\nchannels = ['wb']", "cleaning.rules.crawler.channels: 'wb' is not a declared channel"),
    (SMALL + "[[cleaning.test_traffic]]\nname = 'crawler'", "'crawler' is the name of another rule already"),
    (SMALL + "[[cleaning.test_traffic]]\nname = 'a'", "cleaning.test_traffic[1].where: must hold at least one condition"),
    (SMALL + "[[cleaning.test_traffic]]\nname = 'a'\nwhere = [{ field = 'mode' }]", "field: must be event, channel, "),
    (SMALL + "[[cleaning.test_traffic]]\nname = 'a'\nwhere = [{ field = 'event' }]", "must have values, a list of texts, or "),
    (
        SMALL + "[[cleaning.test_traffic]]\nname = 'a'\nwhere = [{ field = 'event', matches = '(' }]",
        "matches: '(' is not a regular expression",
    ),
    (SMALL + "[regions]\ntraits = ['a..b']", "regions.traits: 'a..b' is not a field"),
    (SMALL + "[events.a]\nsynonyms_in = { wb = ['b'] }", "events.a.synonyms_in.wb: 'wb' is not a declared channel"),
    (
        SMALL + "[events.a]\nsynonyms_in = { web = ['x'] }\n[events.b]\nsynonyms_in = { web = ['x'] }",
        "events.b.synonyms_in.web: 'x' is a name of another event already",
    ),
]


@pytest.mark.parametrize(("text", "told"), BROKEN)
def test_a_broken_rule_is_one_line_with_file_key_and_rule(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        config_of(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'own.toml'}: ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read: No such file"):
        load(tmp_path / "gone.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"bytes\.toml: is not TOML"):
        load(tmp_path / "bytes.toml")
