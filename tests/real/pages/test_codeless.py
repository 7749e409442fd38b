"""Clicks that are events of their own by configuration, on pages that are open already, in a real browser."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from app import saved_page
from models.business import compared
from models.codeless import CodelessRule, is_on, page_expression
from tests.real.browser import Watched
from tests.real.pages.conftest import Door, names, only, visitor_of
from tests.real.pages.site import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

CAR = '<button id="test-drive" data-model="m5"><b id="inner">Test drive</b></button>'
PAGES = {"/cars/m5": ("M5", CAR), "/news/1": ("News", CAR)}
RULE = """
[[codeless]]
event = "no_selector_for_browsers"
page = "*"
element = "#1"
[[codeless]]
event = "wants_to_drive"
page = "/cars/*"
element = "#test-drive"
properties = { model = "@data-model", label = "text" }
version = 2
"""
LATER = "performance.now = (now => () => now() + 5_000)(performance.now.bind(performance))"
"""Five seconds go by for the page, so that its rules are old."""
READ_SECONDS_MAX = 20.0
"""A file that was changed is read again within seconds."""
FETCHED_AGAIN = "performance.getEntriesByType('resource').filter(one => one.name.includes('/v1/codeless')).length > 1"


@pytest.fixture
def rules(door: Door) -> Iterator[Path]:
    """The configuration file of the collector; what a test adds to it is taken out again."""
    before = door.config.read_text()
    yield door.config
    door.config.write_text(before)


async def test_a_rule_that_is_added_holds_for_the_next_click_on_a_page_that_is_open(
    door: Door, browser: Watched, rules: Path
) -> None:
    async with Site(door.url, PAGES).open() as url:
        page, other = await browser.page(), await browser.page()
        await page.goto(f"{url}/cars/m5")
        await other.goto(f"{url}/news/1")
        await page.click("#inner")
        assert "wants_to_drive" not in names(await door.confirmed(page))
        rules.write_text(rules.read_text() + RULE)
        async with asyncio.timeout(READ_SECONDS_MAX):
            while "wants_to_drive" not in await told_to_pages(page, door):
                await page.wait_for_timeout(100)
        for one in (page, other):
            await one.evaluate(LATER)
            await one.click("#inner")
        events = await door.arrived(await visitor_of(page), lambda events: "wants_to_drive" in names(events))
        await other.wait_for_function(FETCHED_AGAIN)
        await other.click("#inner")
        elsewhere = await door.confirmed(other)
    event = only(events, "wants_to_drive")
    told = event["properties"]
    assert (told["model"], told["label"], told["rule_version"]) == ("m5", "Test drive", 2)
    assert (told["element"], told["path"], event["context"]["page"]["url"]) == ("#test-drive", "/cars/m5", f"{url}/cars/m5")
    assert names(events).count("element_clicked") == 2
    assert (names(elsewhere).count("element_clicked"), "wants_to_drive" in names(elsewhere)) == (2, False)


async def told_to_pages(page: Page, door: Door) -> str:
    """The rules as the collector has them now."""
    return await (await page.context.request.get(f"{door.url}/v1/codeless?writeKey=dev-web")).text()


async def test_a_pattern_of_addresses_means_the_same_to_a_browser(browser: Watched) -> None:
    patterns = ("/cars/*", "https://shop.example.com/*", "/app#/cars/*", "/汽车/*", "*", "/a.b(c)*", "/~a-b&c+d/*", "/x y/*")
    urls = [
        f"https://{host}/{path}"
        for host in ("shop.example.com", "www.other.example.com:8443")
        for path in ("cars", "cars/m5?x=1", "carsharing", "app#/cars/m5", "汽车/m5", "a.b(c)d", "axb(c)d", "~a-b&c+d/1", "x y/1")
    ]
    cases = [(CodelessRule("e", (pattern,), "a"), url) for pattern in patterns for url in urls]
    page = await browser.page()
    asked = [[page_expression(rule), compared(_as_a_browser_has_it(url))] for rule, url in cases]
    answers = await page.evaluate("cases => cases.map(([source, address]) => new RegExp(source).test(address))", asked)
    assert answers == [is_on(rule, url) for rule, url in cases]
    assert 20 < sum(answers) < len(cases) - 20


def _as_a_browser_has_it(url: str) -> str:
    return url.replace("汽车", "%E6%B1%BD%E8%BD%A6")


SAVED = """<!DOCTYPE html><table><tr><td><a href="#" class="x y">1</a><td><b>2</b></table><ul><li>a<li>b<li class=x>c</ul>
<p>one<div>two</div>three<form><input type=text><button disabled>d</button><button>e</button></form><svg><a>s</a></svg>"""
SELECTORS = (
    "table > tr a",
    "tbody a",
    "a.x.y",
    "li:nth-child(2n+1)",
    "li:not(.x)",
    "td:has(> b)",
    ":is(a, b)",
    "p + div",
    "p div",
    "form > button:not([disabled])",
    "[type=text]",
    "svg a",
    "ul > li:last-of-type",
    "p",
)


async def test_a_selector_means_the_same_on_a_saved_page_as_in_a_browser(browser: Watched, tmp_path: Path) -> None:
    file = tmp_path / "saved.html"
    file.write_text(SAVED)
    saved = saved_page.opened(file)
    page = await browser.page()
    await page.set_content(SAVED)
    seen = await page.evaluate("those => those.map(one => document.querySelectorAll(one).length)", list(SELECTORS))
    meant = [len(list(saved_page.meant(saved, CodelessRule("e", ("*",), selector)))) for selector in SELECTORS]
    assert dict(zip(SELECTORS, meant, strict=True)) == dict(zip(SELECTORS, seen, strict=True))
