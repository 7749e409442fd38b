"""Find somebody, see the journey, understand why: what a salesperson does in the console, in a real browser."""

import asyncio
import time

import pytest
from playwright.async_api import Page, expect

from tests.real.browser import Watched
from tests.real.console.conftest import Open
from tests.real.console.stories import LISTENER, MANY, event
from tests.real.system import System

pytestmark = pytest.mark.asyncio(loop_scope="package")

PAINT_MS_MAX, PAINTS_MAX = 1_000, 10
SCROLLED_SECONDS_MAX = 30.0
SHOWN = ".event .what b"
NARROW = {"width": 360, "height": 700}


async def names(page: Page) -> list[str]:
    """The events that are shown, in their order."""
    return await page.locator(SHOWN).all_text_contents()


async def test_a_side_bar_link_opens_the_whole_journey(visit: Open) -> None:
    page = await visit("?id=wecom_external_userid:wmX")
    assert await names(page) == ["order_paid", "store_visited", "message_sent", "test_drive_requested", "page_viewed"]
    await expect(page.locator("#identifiers")).to_contain_text("+8613800138000")
    await expect(page.locator(".bars tbody tr")).to_have_count(5)
    await expect(page.locator(".stages .current")).to_contain_text("Purchase")
    await expect(page.locator(".stages")).to_contain_text("after 1 d")
    await expect(page.locator(".day")).to_have_count(3)


@pytest.mark.parametrize("text", ["138 0013 8000", "+86 138-0013-8000", "wmX", "order_user_id: o-77"])
async def test_one_box_finds_a_person_by_anything(visit: Open, text: str) -> None:
    page = await visit()
    await page.fill("#q", text)
    await page.press("#q", "Enter")
    await expect(page.locator(".who")).to_be_visible()
    await expect(page.locator(".event")).to_have_count(5)


async def test_a_uid_is_found_too_and_who_was_looked_at_is_remembered(visit: Open) -> None:
    page = await visit("?id=wmX")
    uid = await page.get_attribute("[data-uid]", "data-uid")
    await page.goto(page.url.replace("wmX", str(uid)))
    await expect(page.locator(".event")).to_have_count(5)
    await page.click(".brand")
    await expect(page.locator("#recents a")).to_have_count(1)
    await page.click("#recents a")
    await expect(page.locator(".event")).to_have_count(5)
    await page.click(".brand")
    await page.click("#forget")
    await expect(page.locator(".recent")).to_be_hidden()


async def test_nobody_is_nobody(visit: Open, watched: Watched) -> None:
    watched.expects("404")
    page = await visit("?id=nobody@example.com")
    await expect(page.locator("[role=alert]")).to_contain_text("Nobody is known by this")
    await expect(page.locator("#q")).to_have_value("nobody@example.com")


async def test_where_two_people_are_known_by_a_text_one_chooses(visit: Open) -> None:
    page = await visit("?id=twice")
    await expect(page.locator(".choices li")).to_have_count(2)
    await page.click(".choices li:has-text('user id') a")
    await expect(page.locator(SHOWN)).to_have_text(["login"])


async def test_scrolling_brings_the_whole_journey_once(visit: Open) -> None:
    page = await visit("?id=user_id:walker")
    assert len(await names(page)) < MANY
    async with asyncio.timeout(SCROLLED_SECONDS_MAX):
        while len(await names(page)) < MANY:
            await page.mouse.wheel(0, 4_000)
            await page.wait_for_timeout(60)
    keys = await page.eval_on_selector_all(".event", "rows => rows.map(row => row.dataset.key)")
    assert keys == [f"event:w{n}" for n in reversed(range(MANY))]
    headings = await page.eval_on_selector_all(".day, .session", "rows => rows.map(row => row.dataset.key)")
    assert len(headings) == len(set(headings))


async def test_filters_narrow_the_journey_without_leaving_the_page(visit: Open) -> None:
    page = await visit("?id=user_id:walker")
    await page.check("input[value=store]", force=True)
    await page.select_option("[name=event]", "kind_2")
    await expect(page.locator(".event .in").filter(has_not_text="Store")).to_have_count(0)
    await expect(page.locator(".event .what b").filter(has_not_text="kind_2")).to_have_count(0)
    await page.fill("[name=from]", "2026-06-02")
    await page.fill("[name=to]", "2026-06-02")
    await expect(page.locator(".day")).to_have_count(0)
    await expect(page.locator(".empty")).to_contain_text("No events to show")
    await page.fill("[name=from]", "2026-05-29")
    await page.fill("[name=to]", "2026-05-29")
    await page.select_option("[name=order]", "asc")
    await expect(page.locator(".event").first).to_have_attribute("data-key", "event:w2")
    assert "channel=store" in page.url
    await page.reload()
    await expect(page.locator(".event").first).to_have_attribute("data-key", "event:w2")


async def test_an_inferred_event_is_told_apart(visit: Open) -> None:
    page = await visit("?id=user_id:shopper")
    guess = page.locator(".event.inferred")
    await expect(guess).to_have_count(1)
    await expect(guess).to_contain_text("add_to_cart")
    await expect(guess.locator(".guess")).to_have_text("inferred")
    await guess.locator("summary").click()
    await expect(guess.locator("dl")).to_contain_text("cart_before_order")
    await expect(page.locator(".event").first.locator(".mark").last).to_have_text("1 min 4 s")


async def test_a_new_event_shows_by_itself_and_nothing_jumps(visit: Open, system: System) -> None:
    page = await visit("?id=user_id:listener")
    await page.locator(".event summary").first.click()
    await system.tell([event("l2", 5, "app", "add_to_cart", LISTENER)])
    told = time.monotonic()
    await expect(page.locator("[data-key='event:l2']")).to_be_visible()
    print(f"shown {time.monotonic() - told:.2f} s after Kafka's acknowledgement")
    assert await names(page) == ["add_to_cart", "page_viewed"]
    assert await page.locator("[data-key='event:l1'] details").get_attribute("open") is not None
    await expect(page.locator(".who .count")).to_have_text("2")
    await system.tell([event("l0", 2, "store", "store_visited", LISTENER)])
    await expect(page.locator(".event")).to_have_count(3)
    assert await names(page) == ["add_to_cart", "store_visited", "page_viewed"]


async def test_who_reads_further_down_is_told_and_not_moved(visit: Open, system: System) -> None:
    page = await visit("?id=user_id:walker&channel=web")
    await page.evaluate("scrollTo(0, 900)")
    seen = "[...document.querySelectorAll('.event')].find(row => row.getBoundingClientRect().top > 100)"
    key = await page.evaluate(f"{seen}.dataset.key")
    where = f"document.querySelector('[data-key=\"{key}\"]').getBoundingClientRect().top"
    before = await page.evaluate(where)
    await system.tell([event("w-new", 50_000, "web", "page_viewed", ("user_id", "walker"))])
    await expect(page.locator("#fresh")).to_contain_text("1 new")
    assert abs(await page.evaluate(where) - before) <= 1
    await page.click("#fresh")
    await expect(page.locator("[data-key='event:w-new'] summary")).to_be_focused()


async def test_why_shows_the_path_between_two_identifiers_with_its_events(visit: Open) -> None:
    page = await visit("?id=wmX")
    await page.click(".tabs a:last-child")
    await expect(page.locator(".spot")).to_have_count(4)
    await page.locator(".spot", has_text="ck-1").click()
    await page.locator(".spot", has_text="o-77").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".path > li")).to_have_count(2)
    await expect(page.locator(".path")).to_contain_text("b2")
    await expect(page.locator(".path")).to_contain_text("b5")
    await expect(page.locator(".path .mark").first).to_have_text("bridge")
    await expect(page.locator(".line.on")).to_have_count(2)
    await expect(page.locator("#steps button")).to_have_count(0)


async def test_chinese_is_spoken_to_whoever_prefers_it_and_after_a_switch(visit: Open) -> None:
    page = await visit("?id=wmX", language="zh-CN")
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(page.locator(".tabs")).to_contain_text("旅程")
    await page.click(".languages a")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.locator(".event")).to_have_count(5)
    await page.click(".brand")
    await expect(page.locator("h1")).to_have_text("Find a person")


@pytest.mark.parametrize("path", ["", "?id=wmX", "house", "?id=user_id:walker"])
async def test_a_side_bar_is_wide_enough(visit: Open, path: str) -> None:
    page = await visit(path, viewport=NARROW)
    await expect(page.locator("h1").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


async def test_something_useful_is_painted_within_a_second(visit: Open) -> None:
    """At the first try on a machine that is idle; the best of some on one that is not."""
    page = await visit("?id=user_id:walker")
    paints: list[float] = []
    while not paints or (min(paints) >= PAINT_MS_MAX and len(paints) < PAINTS_MAX):
        await page.reload()
        await page.wait_for_selector(".event")
        paints.append(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    print(f"first contentful paint, with the journey in it: {min(paints):.0f} ms")
    assert min(paints) < PAINT_MS_MAX
