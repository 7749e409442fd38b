"""What the collector learns of a visit to a web site, in a real browser: pages, how long, how far down, which elements."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.real.browser import Watched
from tests.real.pages.conftest import Door, Event, names, only, visitor_of
from tests.real.pages.site import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

CARS = """
<h1>Cars</h1><button id="order">Order <b>now</b></button><a id="next" href="/news?token=secret#part">News</a>
<ul><li><a href="#">one</a></li><li><a href="#">two</a></li></ul><img data-onetrail="hero" width="9" height="9">
<div style="height: 5000px"></div>"""
PAGES = {"/cars": ("Our cars", CARS), "/news": ("News", "<p>Nothing new.</p>")}
NOON = datetime(2026, 11, 22, 12)
BEACONS_SEEN = """navigator.sendBeacon = (send => (url, body) => {
sessionStorage.beacons = (sessionStorage.beacons || '') + body; return send(url, body) })(navigator.sendBeacon.bind(navigator))"""
LATER = "Date.now = (now => () => now() + 5_000)(Date.now)"
"""Five seconds go by on the clock of the page."""


def ms(view: dict[str, Any]) -> int:
    """How long a view lasted, by its properties."""
    begin, end = (datetime.fromisoformat(view[name]) for name in ("entered_at", "left_at"))
    return round((end - begin).total_seconds() * 1_000)


async def test_a_view_has_its_times_its_page_how_far_down_and_how_many_clicks(door: Door, browser: Watched) -> None:
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.add_init_script(BEACONS_SEEN)
        await page.goto(f"{url}/cars?utm_source=wechat&email=ann@example.com")
        await page.evaluate("history.replaceState({}, '', '/cars')")
        await page.click("#order b")
        await page.evaluate(LATER)
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await page.evaluate("new Promise(requestAnimationFrame)")
        await page.click("#next")
        await page.wait_for_url("**/news*")
        events = await door.confirmed(page)
        beacons = await page.evaluate("sessionStorage.beacons")
    view = only(events, "page_viewed")
    assert view["properties"]["path"] == "/cars"
    assert view["properties"]["title"] == "Our cars"
    assert 5_000 <= ms(view["properties"]) < 60_000
    assert view["occurred_at"] == view["properties"]["entered_at"]
    assert (view["properties"]["scroll_depth"], view["properties"]["clicks"]) == (100, 2)
    assert view["context"]["page"] == {"path": "/cars", "url": f"{url}/cars", "title": "Our cars", "referrer": ""}
    assert view["context"]["campaign"] == {"source": "wechat"}
    assert "ann@example.com" not in str(events)
    assert "secret" not in str(events)
    assert view["event_id"] in beacons


async def test_a_view_is_told_as_open_at_the_first_push_and_completed_by_the_same_visit(door: Door, browser: Watched) -> None:
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.goto(f"{url}/cars")
        visitor = await visitor_of(page)
        (entered,) = await door.arrived(visitor, lambda events: names(events) == ["page_entered"])
        await page.evaluate(LATER)
        await page.close()
        events = await door.arrived(visitor, lambda events: "page_viewed" in names(events))
    view = only(events, "page_viewed")
    assert entered["properties"]["visit_id"] == view["properties"]["visit_id"] == view["event_id"] != entered["event_id"]
    assert entered["properties"]["entered_at"] == view["properties"]["entered_at"]
    assert "left_at" not in entered["properties"]


async def test_a_click_names_its_element_the_same_way_each_time(door: Door, browser: Watched) -> None:
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.goto(f"{url}/cars")
        for selector in ("#order b", "li:nth-child(2) a", "img", "h1", "#order"):
            await page.click(selector)
        await page.mouse.click(600, 700)
        events = [event["properties"] for event in await door.confirmed(page) if event["event"] == "element_clicked"]
    told = [(event["element"], event["tag"], event.get("text")) for event in events]
    assert told[0] == told[4] == ("#order", "button", "Order now")
    assert told[1] == ("ul>li:nth-of-type(2)>a", "a", "two")
    assert told[2] == ("hero", "img", None)
    assert told[3] == ("h1", "h1", None)
    assert all(event["path"] == "/cars" and event["x"] > 0 and event["y"] > 0 for event in events)


@pytest.mark.parametrize(("attributes", "interval_ms"), [("", 1_000), ('data-interval="300"', 300), ('data-interval="x"', 1_000)])
async def test_pushes_come_at_equal_intervals(door: Door, browser: Watched, attributes: str, interval_ms: int) -> None:
    pushes: list[str] = []
    async with Site(door.url, PAGES, attributes).open() as url:
        page = await browser.page()
        page.on("request", lambda request: pushes.append(request.url) if "batch" in request.url else None)
        await page.clock.install(time=NOON)
        await page.clock.pause_at(NOON + timedelta(seconds=1))
        await page.goto(f"{url}/news")
        for number in range(3):
            await page.evaluate("onetrail.track('moved')")
            await page.clock.run_for(interval_ms - 1)
            assert len(pushes) == number
            await page.clock.run_for(1)
            await door.confirmed(page)
            assert len(pushes) == number + 1


async def test_a_view_counts_from_one_second_on(door: Door, browser: Watched) -> None:
    async with Site(door.url, PAGES, attributes='data-interval="60000"').open() as url:
        page = await browser.page()
        await page.add_init_script("Date.now = (at => () => at)(Date.now())")
        for lasted in (999, 1_000):
            await page.goto(f"{url}/cars")
            visitor = await visitor_of(page)
            await page.evaluate(f"Date.now = (at => () => at)(Date.now() + {lasted})")
        await page.close()
        events = await door.arrived(visitor, lambda events: bool(events))
    assert [ms(event["properties"]) for event in events] == [1_000]


async def test_a_page_that_navigates_without_loading_has_a_view_for_each_of_its_paths(door: Door, browser: Watched) -> None:
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.goto(f"{url}/cars")
        for script in (
            "history.pushState({}, '', '/cars/m5?color=red'); document.title = 'M5'",
            "history.replaceState({}, '', '/cars/m5?color=blue')",
            "location.hash = '#/parts'",
            "history.back(); new Promise(done => addEventListener('popstate', () => setTimeout(done), {once: true}))",
            "onetrail.page('Leasing', {step: 2})",
        ):
            await page.evaluate(LATER)
            await page.evaluate(script)
            if "M5" in script:  # a title is read at the next push
                await door.arrived(await visitor_of(page), lambda events: "M5" in str(events))
        await page.evaluate(LATER)
        await page.goto(f"{url}/news")
        views = [event["properties"] for event in await door.confirmed(page) if event["event"] == "page_viewed"]
    assert [view["path"] for view in views] == ["/cars", "/cars/m5", "/cars/m5#/parts", "/cars/m5", "/cars/m5"]
    assert [view["title"] for view in views[:2]] == ["Our cars", "M5"]
    assert (views[4]["name"], views[4]["step"]) == ("Leasing", 2)
    assert all(5_000 <= ms(view) < 60_000 for view in views)
    assert all(before["left_at"] <= after["entered_at"] for before, after in pairwise(views))


HIDE = """state => { Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
document.dispatchEvent(new Event('visibilitychange', {bubbles: true})) }"""


async def test_a_page_that_is_hidden_was_left_and_shown_again_it_is_another_view(door: Door, browser: Watched) -> None:
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.goto(f"{url}/cars")
        await page.evaluate(LATER)
        await page.evaluate(HIDE, "hidden")
        hidden = await door.confirmed(page)
        await page.evaluate(HIDE, "visible")
        await page.evaluate(LATER)
        await page.goto(f"{url}/news")
        views = [event["properties"] for event in await door.confirmed(page) if event["event"] == "page_viewed"]
    assert "page_viewed" in names(hidden)
    assert [view.get("returned") for view in views] == [None, True]
    assert views[0]["visit_id"] != views[1]["visit_id"]


async def test_a_page_that_comes_back_from_the_browsers_history_is_another_view(door: Door, browser: Watched) -> None:
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        for go in (page.goto(f"{url}/cars"), page.goto(f"{url}/news"), page.go_back(), page.go_forward()):
            await go
            await page.evaluate(LATER)
        views = [event["properties"]["path"] for event in await door.confirmed(page) if event["event"] == "page_viewed"]
    assert views == ["/cars", "/news", "/cars"]


TYPED = ("s3cret", "4111111111111111", "my diary", "ann@typed.example", "blue42")
FORM = """<form id="f"><input id="pw" type="password"><input id="card" value="4111111111111111"><input name="id">
<textarea id="t"></textarea><label id="l">Mail <input id="mail"></label><select id="s"><option>blue42</option></select>
<input type="button" id="b" value="my diary"><input type="submit" id="go" value="Send"></form>
<div id="ed" contenteditable><a href="#" id="in">my diary</a></div><div data-private><button id="p">my diary</button></div>"""


async def test_nothing_that_is_typed_is_told(door: Door, browser: Watched) -> None:
    async with Site(door.url, {"/form": ("Form", FORM), "/": ("Home", "")}).open() as url:
        page = await browser.page()
        await page.goto(f"{url}/form")
        for field, value in (("pw", "s3cret"), ("card", TYPED[1]), ("t", "my diary"), ("mail", "ann@typed.example")):
            await page.click(f"#{field}")
            await page.fill(f"#{field}", value)
        for selector in ("#b", "#in", "#p", "#s", "#l"):
            await page.click(selector)
        await page.evaluate("document.getElementById('f').onsubmit = () => false")
        await page.click("#go")
        events = await door.confirmed(page)
    assert names(events).count("element_clicked") >= 10
    assert [value for value in TYPED if value in str(events)] == []


async def traits_told_by(door: Door, visitor: str) -> list[Any]:
    return traits_of(await door.told(visitor))


def traits_of(events: list[Event]) -> list[Any]:
    return [event.get("traits") for event in events if event["event"] == "identify"]


async def test_who_logs_in_is_known_by_the_same_anonymous_id_and_the_next_person_by_another(door: Door, browser: Watched) -> None:
    async with Site(door.url, PAGES).open() as url:
        page = await browser.page()
        await page.goto(f"{url}/cars")
        before = await visitor_of(page)
        await page.evaluate("onetrail.identify('42', {phone: '138 0013 8000'}); onetrail.track('order_paid', {amount: 5})")
        await page.goto(f"{url}/news")
        assert await visitor_of(page) == before
        first = await door.confirmed(page)
        await page.evaluate("onetrail.identify(null, {city: 'Foshan'})")
        await page.evaluate("onetrail.identify(43, {}); onetrail.track('other')")
        second = await door.confirmed(page)
        await page.evaluate("onetrail.reset(); onetrail.track('left')")
        third = await door.confirmed(page)
    assert only(first, "identify")["identifiers"] == {"user_id": "42", "anonymous_id": before, "phone": "138 0013 8000"}
    assert traits_of(first) == [{"phone": "138 0013 8000"}]
    assert only(first, "order_paid")["identifiers"]["user_id"] == "42"
    assert only(first, "order_paid")["properties"]["amount"] == 5
    assert only(second, "other")["identifiers"]["user_id"] == "43"
    assert await traits_told_by(door, before) == [{"phone": "138 0013 8000"}, {"city": "Foshan"}]
    assert "user_id" not in only(third, "left")["identifiers"]
    assert (
        len({before, only(second, "other")["identifiers"]["anonymous_id"], only(third, "left")["identifiers"]["anonymous_id"]})
        == 3
    )
