"""Standardising and cleaning on the whole chain: regions, robots, tests, repeated clicks, and a device under two names."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner

from app.broker import Broker
from app.commands import main
from app.settings import PACKAGED_CONFIG
from tests.real.crowd import Behaviour, Name
from tests.real.system import System, path_of

NOON = 1_767_240_000_000
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
IMEI = ("imei", "490154203237518")
WRONG_IMEI = ("imei", "490154203237519")
MORE = """
[regions]
properties = ["address"]
traits = ["province+city+district"]

[[cleaning.test_traffic]]
name = "load_generator"
where = [{ field = "context.userAgent", matches = "^k6/" }]
"""


@pytest_asyncio.fixture
async def system(broker: Broker, tmp_path: Path) -> AsyncIterator[System]:
    async with System.run(broker.bootstrap, "cleaning", tmp_path) as system:
        system.configure(PACKAGED_CONFIG.read_text(encoding="utf-8") + MORE)
        await system.started()
        yield system


def click(event_id: str, second: float, device: str, more: Any = None) -> Behaviour:
    """A click on one element of one page, so many seconds after noon."""
    told = {"properties": {"element": "#buy", "url": "https://shop.example.com/cars?x=1"}} | (more or {})
    names: tuple[Name, ...] = (("user_id", "ann"), ("device_id", device))
    return Behaviour("web", event_id, "element_clicked", NOON + round(second * 1_000), names, told)


def behaviour(event_id: str, *names: Name, event: str = "search", **more: Any) -> Behaviour:
    return Behaviour("app", event_id, event, NOON + len(event_id), names, more)


def listed(system: System) -> dict[str, Any]:
    """What `onetrail events` lists, by name."""
    environment = {"ONETRAIL_KAFKA": system.bootstrap, "ONETRAIL_PREFIX": system.prefix, **system.environment}
    result = CliRunner(env=environment).invoke(main, ["events", "--json"])
    assert result.exit_code == 0, result.output
    return {item["event"]: item for item in json.loads(result.stdout)["items"]}


async def items_of(system: System, *name: str) -> dict[str, Any]:
    journey = await system.known(path_of("journeys", *name))
    return {item["event_id"]: item for item in journey["items"]}


@pytest.mark.asyncio
async def test_what_comes_in_is_standardised_and_cleaned(system: System) -> None:
    repeated = click("a2", 30, "d1")
    robot = behaviour("r1", ("user_id", "bot"), context={"userAgent": GOOGLE})
    load = behaviour("r2", ("user_id", "bot"), context={"userAgent": "k6/0.49"})
    south = {"province": "广东省", "city": "深圳市", "district": "南山区"}
    # in one partition, so they come in this order; in any other the journey is the same, but more may be reported meanwhile
    for one in (click("a1", 0, "d1"), click("b1", 30, "d2"), repeated, click("a3", 70, "d1"), repeated):
        await system.put("behaviour.web", one.record, partition=0)
    await system.tell([robot, load, behaviour("where", ("user_id", "eve"), properties={"address": "北京市朝阳区"}, traits=south)])
    await system.tell([behaviour("n1", ("user_id", "dan"), event="加购"), behaviour("n2", ("user_id", "dan"), event="foo_bar")])
    await system.tell([behaviour("i1", IMEI, ("device_id", "u-1")), behaviour("i2", ("device_id", "u-2"), WRONG_IMEI)])
    status = await system.settled()

    clicks = await items_of(system, "user_id", "ann")
    assert {name: item["repeat_count"] for name, item in clicks.items()} == {"a1": 1, "b1": 0, "a3": 0}
    assert status["rejected"] == {"repeated_click": 1, "crawler": 1, "test_traffic": 1}
    turned = {dict(one.headers)["reason"]: one for one in await system.read("behaviour.rejected")}
    assert turned[b"repeated_click"].value == repeated.record
    assert dict(turned[b"repeated_click"].headers)["source_topic"] == b"cleaning.behaviour.web"
    assert (turned[b"crawler"].value, turned[b"test_traffic"].value) == (robot.record, load.record)
    assert dict(turned[b"test_traffic"].headers)["rule"] == b"load_generator 1: nobody is behind it"

    eve = await system.known(path_of("journeys", "user_id", "eve"))
    assert eve["items"][0]["properties"] == {"region_code": "110105", "address": "北京市朝阳区"}
    assert eve["traits"] == south | {"region_code": "440305"}

    names = await asyncio.to_thread(listed, system)
    assert {name: item["registered"] for name, item in names.items()} == {
        "element_clicked": True,
        "search": True,
        "add_to_cart": True,
        "foo_bar": False,
    }
    assert names["add_to_cart"]["told"] == "加购"

    assert list(await items_of(system, *IMEI)) == ["i1"] == list(await items_of(system, "device_id", "u-1"))
    other = await items_of(system, "device_id", "u-2")
    assert other["i2"]["dropped"] == [{"namespace": "imei", "reason": "blocked_identifier"}]
