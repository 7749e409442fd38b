"""Sessions, inferred events and the time zone of display, asked of a worker over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from app.broker import Broker
from app.settings import PACKAGED_CONFIG
from tests.real.crowd import Behaviour
from tests.real.system import System, path_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

T0 = 1_780_000_000_000
MINUTE_MS = 60_000
SHOPPER = ("user_id", "shopper")
RULE = """session_gap_minutes = 20

[[journey.inferences]]
name = "cart_before_order"
event = "order_paid"
needs = "add_to_cart"
after = "product_viewed"
"""


def told(event_id: str, minute: int, event: str, channel: str = "web", url: str | None = None) -> Behaviour:
    more = {} if url is None else {"context": {"page": {"url": url}}}
    return Behaviour(channel, event_id, event, T0 + minute * MINUTE_MS, (SHOPPER,), more)


VISITS = [
    told("v1", 0, "page_viewed", url="https://shop.example.com/"),
    told("v2", 10, "product_viewed", url="https://shop.example.com/car"),
    told("v3", 19, "order_paid", "app"),
    told("v4", 39, "message_sent", "wecom"),
    told("v5", 58, "page_viewed", "app", url="/account"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    root = tmp_path_factory.mktemp("sessions")
    text = PACKAGED_CONFIG.read_text(encoding="utf-8").replace("session_gap_minutes = 30", RULE, 1)
    async with System.run(broker.bootstrap, "sessions", root) as running:
        running.configure(text)
        await running.started()
        await running.tell(VISITS)
        await running.settled()
        yield running


async def journey(system: System, query: str = "") -> dict[str, Any]:
    return dict(await system.known(path_of("journeys", *SHOPPER) + query))


async def test_every_event_names_the_session_that_it_is_in(system: System) -> None:
    shown = {item["event_id"]: item["session"] for item in (await journey(system))["items"] if not item["inferred"]}
    assert shown == {"v1": "v1", "v2": "v1", "v3": "v1", "v4": "v4", "v5": "v4"}
    for query in (f"?from={T0 + MINUTE_MS}&channel=app", "?event=order_paid&order=desc", "?limit=1&order=desc"):
        items = (await journey(system, query))["items"]
        assert items
        assert all(item["session"] == shown[item["event_id"].partition("/")[0]] for item in items)


async def test_sessions_say_how_one_came_and_left_over_channels(system: System) -> None:
    uid = (await journey(system))["unified_user_id"]
    page = await system.known(f"/v1/users/{uid}/sessions?tz=UTC")
    assert page == {
        "items": [
            {
                "session": "v1",
                "started_at": "2026-05-28T20:26:40.000+00:00",
                "ended_at": "2026-05-28T20:45:40.000+00:00",
                "events": 3,
                "entry": "https://shop.example.com/",
                "last": "https://shop.example.com/car",
                "channels": ["web", "app"],
            },
            {
                "session": "v4",
                "started_at": "2026-05-28T21:05:40.000+00:00",
                "ended_at": "2026-05-28T21:24:40.000+00:00",
                "events": 2,
                "entry": "/account",
                "last": "/account",
                "channels": ["wecom", "app"],
            },
        ],
        "next": None,
    }
    for order, expected in (("asc", ["v1", "v4"]), ("desc", ["v4", "v1"])):
        walked = await system.walk(f"/v1/users/{uid}/sessions", 1, f"&order={order}&tz=UTC")
        assert [session["session"] for session in walked] == expected


async def test_sessions_of_nobody_are_not_found(system: System) -> None:
    assert (await system.get("/v1/users/u_x/sessions")).status == 404
    uid = (await journey(system))["unified_user_id"]
    assert (await system.get(f"/v1/users/{uid}/sessions?limit=0")).status == 400


async def test_a_gap_is_filled_counted_nowhere_and_gone_when_the_real_event_comes(system: System) -> None:
    page = await journey(system)
    assert [item["event_id"] for item in page["items"]][:2] == ["v1", "v2"]
    inferred = page["items"][2]
    assert (inferred["event"], inferred["inferred"], inferred["rule"]) == ("add_to_cart", True, "cart_before_order")
    assert (inferred["session"], inferred["time_estimated"]) == ("v1", True)
    assert [item["event_id"] for item in page["items"]][3:] == ["v3", "v4", "v5"]
    assert all("rule" not in item for item in page["items"] if not item["inferred"])
    assert (page["events"], (await system.settled())["events"]) == (5, 5)
    await system.tell([told("late", 12, "add_to_cart")])
    await system.settled()
    items = (await journey(system))["items"]
    assert ([item["event_id"] for item in items], any(item["inferred"] for item in items)) == (
        ["v1", "v2", "late", "v3", "v4", "v5"],
        False,
    )


ROUTES = ["/v1/identities/user_id/shopper", "/v1/identities/user_id/shopper/history", "/v1/journeys/user_id/shopper"]


@pytest.mark.parametrize("path", ROUTES)
async def test_times_are_shown_in_the_zone_that_is_asked_for(system: System, path: str) -> None:
    for zone, offset in (("UTC", "+00:00"), ("America/Phoenix", "-07:00"), ("Asia/Kathmandu", "+05:45")):
        text = str(await system.known(f"{path}?tz={zone}"))
        assert offset in text
        assert "+08:00" not in text


async def test_a_time_without_offset_is_in_the_zone_that_is_asked_for(system: System) -> None:
    found = await journey(system, "?tz=UTC&from=2026-05-28T21:24:40")
    assert [item["event_id"] for item in found["items"]] == ["v5"]


@pytest.mark.parametrize("zone", ["Mars", "", "Asia", "../UTC", "/etc/localtime", "%00", "A" * 5_000])
async def test_a_zone_that_nobody_knows_is_a_bad_request(system: System, zone: str) -> None:
    uid = (await journey(system))["unified_user_id"]
    for path in (*ROUTES, f"/v1/users/{uid}", f"/v1/users/{uid}/journey", f"/v1/users/{uid}/sessions"):
        answer = await system.get(f"{path}?tz={zone}")
        assert (answer.status, answer.body["error"]["code"]) == (400, "bad_request")
