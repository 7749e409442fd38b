"""What a page tells arrives once, whatever happens on the way; and what the visitor did not agree to is not told at all."""

from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Page, Route

from tests.real.browser import Watched
from tests.real.pages.conftest import Door, names, only, visitor_of
from tests.real.pages.site import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = {"/": ("Home", "<button id='b'>Buy</button>"), "/next": ("Next", "")}
KEPT = "Object.keys(localStorage).filter(key => key.startsWith('onetrail.'))"
NETWORK = "Failed to load resource"
NO_STORAGE = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"


async def tracked(page: Page, *those: str) -> None:
    """The page tells events of these names."""
    for name in those:
        await page.evaluate("name => onetrail.track(name, {at: new Date().toISOString()})", name)


async def test_what_happens_offline_is_told_in_order_with_its_times_when_the_network_is_back(
    door: Door, browser: Watched
) -> None:
    browser.expects(NETWORK)
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.goto(url)
        await page.context.set_offline(True)
        await tracked(page, *"abc")
        async with page.expect_event("requestfailed"):
            pass
        await page.click("#b")
        await page.context.set_offline(False)
        events = await door.confirmed(page)
    assert [name for name in names(events) if name in (*"abc", "element_clicked")] == ["a", "b", "c", "element_clicked"]
    for event in (only(events, name) for name in "abc"):
        told, happened = (datetime.fromisoformat(text) for text in (event["occurred_at"], event["properties"]["at"]))
        assert abs((told - happened).total_seconds()) < 1
        assert event["sent_at"] > event["occurred_at"]


async def test_what_could_not_be_told_survives_the_page_and_the_browser_tab(door: Door, browser: Watched) -> None:
    browser.expects(NETWORK)
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.context.route("**/v1/batch", lambda route: route.abort())
        await page.goto(url)
        await tracked(page, "a")
        await page.reload()
        await tracked(page, "b")
        await page.close()
        page = await page.context.new_page()
        await page.context.unroute_all()
        await page.goto(f"{url}/next")
        await tracked(page, "c")
        events = await door.confirmed(page)
    assert [name for name in names(events) if len(name) == 1] == ["a", "b", "c"]


async def test_no_more_is_kept_than_the_bound_and_the_oldest_go_first(door: Door, browser: Watched) -> None:
    browser.expects(NETWORK)
    async with Site(door.url, PAGES, 'data-interval="100"').open() as url:
        page = await browser.page()
        await page.context.route("**/v1/batch", lambda route: route.abort())
        await page.goto(url)
        await page.evaluate("for (let n = 0; n < 60; n++) onetrail.track('big', {n, text: 'x'.repeat(30000)})")
        assert 900_000 < await page.evaluate("JSON.stringify(localStorage).length") < 1_200_000
        await page.evaluate("onetrail.track('too_big', {text: 'x'.repeat(32000)})")
        await page.context.unroute_all()
        await page.evaluate("dispatchEvent(new Event('online'))")
        events = await door.confirmed(page)
    kept = [event["properties"]["n"] for event in events if event["event"] == "big"]
    assert 25 < len(kept) < 40
    assert kept == list(range(60 - len(kept), 60))
    assert max(event["context"].get("dropped", 0) for event in events) >= 60 - len(kept)
    assert "too_big" not in names(events)


def answering(*statuses: int) -> tuple[Any, list[int]]:
    """A collector that answers so, one after another, and then as it is; and what it answered."""
    answered: list[int] = []

    async def answer(route: Route) -> None:
        if len(answered) == len(statuses):
            await route.continue_()
            return
        answered.append(statuses[len(answered)])
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", "Retry-After": "1"}
        await route.fulfill(status=answered[-1], headers=headers, body="{}")

    return answer, answered


@pytest.mark.parametrize(("statuses", "arrives"), [((503, 429, 500), True), ((400,), False), ((413,), False)])
async def test_only_what_may_help_is_tried_again(door: Door, browser: Watched, statuses: tuple[int, ...], arrives: bool) -> None:
    browser.expects(NETWORK)
    answer, answered = answering(*statuses)
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.goto(url)
        await door.arrived(await visitor_of(page), lambda events: names(events) == ["page_entered"])
        await door.confirmed(page)
        await page.context.route("**/v1/batch", answer)
        await tracked(page, "a")
        events = await door.confirmed(page)
    assert answered == list(statuses)
    assert ("a" in names(events)) == arrives


async def test_a_page_whose_write_key_nobody_knows_tries_once_and_says_so(door: Door, browser: Watched) -> None:
    browser.expects(NETWORK)
    answer, answered = answering(401)
    async with Site(door.url, PAGES, 'data-interval="100"').open() as url:
        page = await browser.page()
        await page.context.route("**/v1/batch", answer)
        async with page.expect_console_message(lambda message: "write key" in message.text):
            await page.goto(url)
        visitor = await visitor_of(page)
        await tracked(page, "a")
        await page.evaluate("new Promise(done => setTimeout(done, 300))")
        assert await door.told(visitor) == []
        await page.reload()
        assert "a" in names(await door.confirmed(page))
    assert answered == [401]


async def test_a_batch_that_is_too_large_is_told_in_parts(door: Door, browser: Watched) -> None:
    browser.expects(NETWORK)
    answer, answered = answering(413)
    async with Site(door.url, PAGES, 'data-interval="500"').open() as url:
        page = await browser.page()
        await page.context.route("**/v1/batch", answer)
        await page.goto(url)
        await tracked(page, *"abcd")
        events = await door.confirmed(page)
    assert answered == [413]
    assert [name for name in names(events) if len(name) == 1] == list("abcd")


async def test_nothing_is_kept_or_told_before_the_visitor_agrees_and_nothing_after_he_withdraws(
    door: Door, browser: Watched
) -> None:
    asked: list[str] = []
    async with Site(door.url, PAGES, 'data-interval="100" data-consent="required"').open() as url:
        page = await browser.page()
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(url)
        await page.click("#b")
        await tracked(page, "before")
        await page.evaluate("onetrail.identify('42', {}); scrollTo(0, 1); new Promise(done => setTimeout(done, 250))")
        assert [one for one in asked if one.startswith(door.url)] == [f"{door.url}/onetrail.js"]
        assert await page.evaluate(KEPT) == []
        assert await page.evaluate("onetrail.anonymousId()") is None
        await page.evaluate("onetrail.consent(true)")
        await tracked(page, "between")
        await page.reload()
        visitor = await visitor_of(page)
        events = await door.confirmed(page)
        await page.evaluate("onetrail.consent(false)")
        assert await page.evaluate(KEPT) == []
        await tracked(page, "after")
        await page.goto(f"{url}/next")
        assert await page.evaluate(KEPT) == []
    assert {"identify", "between"} <= set(names(events))
    assert only(events, "between")["identifiers"]["user_id"] == "42"
    assert {"before", "after", "element_clicked"}.isdisjoint(names(await door.told(visitor)))


async def test_where_consent_is_not_required_a_visitor_can_still_say_no(door: Door, browser: Watched) -> None:
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.goto(url)
        visitor = await visitor_of(page)
        await page.evaluate("onetrail.consent(false)")
        for path in ("/", "/next"):
            await page.goto(url + path)
            await tracked(page, "after")
            assert await page.evaluate(KEPT) == ["onetrail.consent"]
        await page.evaluate("onetrail.consent(true)")
        await tracked(page, "again")
        assert only(await door.confirmed(page), "again")["identifiers"]["anonymous_id"] != visitor
    assert "after" not in names(await door.told(visitor))


async def test_a_browser_that_keeps_nothing_still_tells(door: Door, browser: Watched) -> None:
    """Storage is blocked, as in a sandboxed frame: what is told is known by an id of this page alone."""
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.add_init_script(NO_STORAGE)
        await page.goto(url)
        visitor = await visitor_of(page)
        await tracked(page, "a")
        await page.click("#b")
        await page.evaluate("Date.now = (now => () => now() + 5_000)(Date.now)")
        await page.goto(f"{url}/next")
        events = await door.arrived(visitor, lambda events: "page_viewed" in names(events))
        assert await visitor_of(page) != visitor
    assert {"a", "element_clicked", "page_viewed"} <= set(names(events))


async def test_a_sandboxed_frame_without_an_origin_tells_too(door: Door, browser: Watched) -> None:
    frame = "<iframe sandbox='allow-scripts' src='/'></iframe>"
    async with Site(door.url, {**PAGES, "/frame": ("Frame", frame)}, 'data-interval="100"').open() as url:
        page = await browser.page()
        await page.goto(f"{url}/frame")
        inner = page.frames[1]
        visitor = await inner.evaluate("onetrail.track('inside'); onetrail.anonymousId()")
        events = await door.arrived(visitor, lambda events: "inside" in names(events))
    assert names(events).count("inside") == 1


HOSTILE = """<img name="title"><img name="addEventListener"><img name="documentElement"><a id="onetrail"></a><a id="rules"></a>
<form id="f" onsubmit="return false"><input name="id"><input name="localName"><input name="parentElement"><input name="matches">
<button id="inside">\U0001f600 \u202e &lt;script&gt;alert(1)&lt;/script&gt; \u4f60\u597d</button></form>
<button id="last">{long}</button>"""
HOSTILE_SCRIPT = """<script>localStorage.setItem('onetrail.e.0', '{"broken');localStorage.setItem('onetrail.e.1', '"];alert(1)');
onetrail = [['track', 'early', {n: 1}], ['nonsense'], 5];</script>"""


async def test_a_hostile_page_neither_breaks_the_script_nor_is_broken_by_it(door: Door, browser: Watched) -> None:
    long = "\U0001f600" * 500
    site = Site(door.url, {"/": ("<b>T</b>", HOSTILE.replace("{long}", long))}, before=HOSTILE_SCRIPT)
    async with site.open() as url:
        page = await browser.page()
        await page.goto(url)
        await page.evaluate("const loop = {}; loop.loop = loop; onetrail.track('cyclic', loop); onetrail.track(Symbol.iterator)")
        for selector in ("#inside", "#f", "#last"):
            await page.locator(selector).dispatch_event("click")
        await tracked(page, "after")
        events = await door.confirmed(page)
    clicks = [event["properties"] for event in events if event["event"] == "element_clicked"]
    assert {"early", "after"} <= set(names(events))
    assert clicks[0]["text"].startswith("\U0001f600 \u202e <script>alert(1)</script> \u4f60\u597d")
    assert clicks[-1]["text"] == "\U0001f600" * 80
    assert "cyclic" not in names(events)


async def test_a_page_that_has_the_script_twice_tells_once(door: Door, browser: Watched) -> None:
    twice = f'<script src="{door.url}/onetrail.js" data-write-key="dev-web"></script>'
    async with Site(door.url, PAGES, before=twice).open() as url:
        page = await browser.page()
        await page.goto(url)
        await page.click("#b")
        assert names(await door.confirmed(page)).count("element_clicked") == 1
