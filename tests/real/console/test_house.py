"""What an administrator does, how the house is shown, and that everybody can use it."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.real.browser import Watched
from tests.real.console.conftest import Open
from tests.real.console.stories import PATIENT, event
from tests.real.sdk_packages import node_modules
from tests.real.system import ADMIN, System, path_of

pytestmark = pytest.mark.asyncio(loop_scope="package")

AXE = "axe-core@4.14.1"
SERIOUS = {"serious", "critical"}
TWO = [("user_id", "parted"), ("device_id", "shared-tablet")]


async def test_two_are_parted_after_a_preview_and_seen_through(visit: Open, system: System) -> None:
    page = await visit("why?id=user_id:parted", token=ADMIN)
    await page.select_option("[name=a]", label="user id: parted")
    await page.select_option("[name=b]", label="device: shared-tablet")
    await page.click("#steps [data-preview]")
    dialog = page.locator("dialog")
    await expect(dialog.locator(".leaves")).to_have_text("device shared-tablet")
    await expect(dialog).to_contain_text("1 link is cut")
    await page.fill("[name=reason]", "a tablet of the shop")
    await page.click("dialog button.bad")
    await expect(dialog.locator("[data-state]")).to_have_attribute("data-state", "done")
    await expect(dialog).to_contain_text("Every lookup shows it now")
    await page.click("[data-done]")
    await expect(page.locator(".spot")).to_have_count(2)
    await expect(page.locator(".reasons").last).to_contain_text("Kept apart by an operator")
    uids = {(await system.known(path_of("identities", *name)))["unified_user_id"] for name in TWO}
    assert len(uids) == 2


async def test_a_person_is_erased_after_a_preview_and_gone(visit: Open, system: System, watched: Watched) -> None:
    watched.expects("404")
    page = await visit("why?id=user_id:forgotten", token=ADMIN)
    await page.click(".danger button")
    dialog = page.locator("dialog")
    await expect(dialog).to_contain_text("gone@example.com")
    await page.click("dialog [data-close]")
    await expect(dialog).to_be_hidden()
    assert (await system.get(path_of("identities", "user_id", "forgotten"))).status == 200
    await page.click(".danger button")
    await page.click("dialog button.bad")
    await expect(dialog.locator("[data-state]")).to_have_attribute("data-state", "done")
    await page.click("[data-done]")
    await expect(page.locator("[role=alert]")).to_contain_text("Not found")
    assert (await system.get(path_of("identities", "email", "gone@example.com"))).status == 404


async def test_a_reader_is_offered_no_changes(visit: Open) -> None:
    page = await visit("why?id=wmX")
    await expect(page.locator(".spot")).to_have_count(4)
    assert await page.locator("[data-preview]").count() == 0
    await page.goto(page.url.replace("why?id=wmX", "house"))
    assert await page.locator("[data-reason]").count() == 0


async def test_the_house_shows_what_there_is_and_follows_it(visit: Open, system: System) -> None:
    page = await visit("house")
    await expect(page.locator(".partitions span")).to_have_count(8)
    await expect(page.locator(".topics")).to_contain_text("console.behaviour.web")
    await expect(page.locator("#coverage-now")).to_contain_text("silent")
    shown = await page.locator(".tile b").nth(1).inner_text()
    await system.tell([event(f"house-{n}", n, "iot", "measured", ("device_id", "thing")) for n in range(3)])
    await expect(page.locator(".tile b").nth(1)).to_have_text(f"{int(shown.replace(',', '')) + 3:,}")
    await expect(page.locator(".tile").nth(1)).to_contain_text("a second")
    await expect(page.locator(".tile").nth(3).locator("b")).to_contain_text("≤")


@pytest.mark.parametrize("width", [360, 1280])
async def test_which_channels_are_silent_shows_without_scrolling_sideways(visit: Open, width: int) -> None:
    page = await visit("house", viewport={"width": width, "height": 740})
    card = page.locator("#coverage-now")
    await expect(card).to_contain_text("silent")
    assert await card.evaluate("card => card.scrollWidth <= card.clientWidth")


async def test_a_rejected_record_is_looked_at_and_sent_again(visit: Open, system: System) -> None:
    raw = b'{"event": "<img src=x onerror=alert(1)>", "identifiers": {"shoe_size": "44"}}'
    await system.put("behaviour.store", raw)
    page = await visit("house", token=ADMIN)
    await page.click("[data-reason=unknown_namespace]")
    record = page.locator(".record").first
    await expect(record.locator("pre")).to_have_text(raw.decode())
    await record.locator("button").click()
    await expect(record.locator(".sent")).to_contain_text("console.behaviour.store")
    row = page.locator("tr", has_text="unknown_namespace")
    await expect(row.locator(".number")).to_have_text("2")


async def test_while_data_moves_the_page_stays_and_goes_on_by_itself(visit: Open, system: System, watched: Watched) -> None:
    watched.expects("ERR_|503|Failed to load")
    page = await visit("?id=user_id:patient")
    before = await page.locator(".event").count()
    worker = system.workers[0]
    worker.kill()
    await expect(page.locator("#notice")).to_be_visible()
    await expect(page.locator(".event")).to_have_count(before)
    worker.start()
    await system.ready(worker)
    await system.tell([event("t2", 500, "web", "page_viewed", PATIENT)])
    await expect(page.locator("[data-key='event:t2']")).to_be_visible(timeout=30_000)
    await expect(page.locator("#notice")).to_be_hidden()


async def test_everything_is_reached_by_keyboard(visit: Open) -> None:
    page = await visit("?id=wmX")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    for _ in range(25):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.matches('.event summary')"):
            break
    await page.keyboard.press("Enter")
    await expect(page.locator(".event details[open]")).to_have_count(1)
    ring = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core, installed once into the user's cache."""
    return (node_modules((AXE,)) / "axe-core/axe.min.js").read_text()


async def serious(page: Page, axe: str) -> list[str]:
    """What axe finds that keeps somebody out."""
    await page.evaluate(axe)
    await page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
    found: dict[str, Any] = await page.evaluate("axe.run(document)")
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(("language", "scheme"), [("en-US", "light"), ("zh-CN", "dark")])
async def test_axe_finds_nothing_serious(visit: Open, axe: str, language: str, scheme: str) -> None:
    page = await visit(token=ADMIN, language=language, color_scheme=scheme)
    base = page.url
    for path in ("", "?id=wmX", "?id=user_id:shopper", "why?id=wmX", "house"):
        await page.goto(base + path)
        await page.wait_for_selector("h1")
        assert await serious(page, axe) == [], path
    await page.goto(base + "why?id=wmX")
    await page.select_option("[name=a]", index=1)
    await page.select_option("[name=b]", index=2)
    await page.click("#steps [data-preview]")
    await page.wait_for_selector("dialog form")
    assert await serious(page, axe) == []
    await page.context.clear_cookies()
    await page.goto(base)
    assert await serious(page, axe) == []


async def test_nothing_moves_for_who_wants_it_still(visit: Open) -> None:
    page = await visit("?id=wmX", reduced_motion="reduce")
    moving = "getComputedStyle(document.querySelector('.event')).animationName"
    await page.evaluate("document.querySelector('.event').classList.add('arrived')")
    assert await page.evaluate(moving) == "none"
