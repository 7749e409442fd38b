"""From a visitor's browser to the lookup of a salesperson: what was done on the site is that person's journey."""

from pathlib import Path

import pytest

from tests.real.browser import Watched
from tests.real.pages.conftest import Door, names, visitor_of
from tests.real.pages.site import Site
from tests.real.system import System, path_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

CAR = '<button id="test-drive" data-model="m5">Test drive</button>'
PAGES = {"/cars/m5": ("M5", CAR), "/login": ("Login", "")}
LATER = "Date.now = (now => () => now() + 5_000)(Date.now)"
WANTED = ["page_entered", "page_viewed", "element_clicked", "test_drive_click", "page_entered", "page_viewed", "identify"]


async def test_a_visit_is_in_the_journey_of_who_then_logs_in(door: Door, browser: Watched, tmp_path: Path) -> None:
    browser.expects("Failed to load resource")
    async with System.run(door.broker.bootstrap, door.prefix, tmp_path) as system, Site(door.url, PAGES).open() as url:
        worker = system.worker()
        worker.start()
        page = await browser.page()
        async with page.expect_response("**/v1/codeless*"):
            await page.goto(f"{url}/cars/m5")
        visitor = await visitor_of(page)
        await door.arrived(visitor, lambda events: names(events) == ["page_entered"])
        await door.confirmed(page)
        await page.context.set_offline(True)
        await page.evaluate(LATER)
        await page.click("#test-drive")
        await page.context.set_offline(False)
        await page.evaluate(LATER)
        await page.goto(f"{url}/login")
        await door.confirmed(page)
        await page.evaluate(LATER)
        await page.evaluate("onetrail.identify('driver-1', {phone: '139 0013 9000', name: 'Ann'})")
        await door.confirmed(page)
        await page.close()
        await door.arrived(visitor, lambda events: names(events).count("page_viewed") == 2)
        await system.ready(worker)
        await system.settled()
        person = await system.known(path_of("journeys", "phone", "+8613900139000"))
    assert {(one["namespace"], one["value"]) for one in person["identifiers"]} == {
        ("user_id", "driver-1"),
        ("anonymous_id", visitor),
        ("phone", "+8613900139000"),
    }
    assert sorted(names(person["items"])) == sorted(WANTED)
    views = [item for item in person["items"] if item["event"] == "page_viewed"]
    assert [view["properties"]["path"] for view in views] == ["/cars/m5", "/login"]
    assert all(view["duration_ms"] >= 5_000 for view in views)
    assert views[0]["properties"]["clicks"] == 1
    assert person["traits"]["name"] == "Ann"
    assert [item["occurred_at"] for item in person["items"]] == sorted(item["occurred_at"] for item in person["items"])
