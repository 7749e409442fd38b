"""Segment's own SDK for browsers against the collector: its bundle comes from npm, and no request leaves the machine."""

import pytest

from tests.real.browser import Watched
from tests.real.pages.conftest import Door, names, only
from tests.real.pages.site import Site
from tests.real.sdk_packages import node_modules

pytestmark = pytest.mark.asyncio(loop_scope="session")

PACKAGES = ("@segment/analytics-next@1.84.3",)
LOAD = """({host, files}) => {
const segment = {apiKey: 'dev-web', apiHost: host + '/v1', protocol: 'http'};
window.analytics = AnalyticsNext.AnalyticsBrowser.load(
  {writeKey: 'dev-web', cdnURL: files, cdnSettings: {integrations: {'Segment.io': segment}}},
  {disableClientPersistence: false});
return analytics.user().then(user => user.anonymousId());
}"""
CALLS = """async () => {
await analytics.page('Cars', {});
await analytics.identify('42', {email: 'Ann@Example.com', city: 'Foshan'});
await analytics.track('order_paid', {amount: 12.5, text: '\\u4f60\\ud83d\\ude00'});
await analytics.group('g-1', {});
await analytics.alias('43', '42');
}"""
EVENTS = {"page_viewed", "identify", "order_paid", "group_joined", "alias"}


async def test_what_the_sdk_of_segment_tells_is_complete(door: Door, browser: Watched) -> None:
    files = node_modules(PACKAGES) / "@segment" / "analytics-next" / "dist" / "umd"
    site = Site(door.url, {"/cars": ("Our cars", "")}, None, '<script src="/files/index.js"></script>', files)
    async with site.open() as url:
        page = await browser.page()
        await page.goto(f"{url}/cars")
        visitor = await page.evaluate(LOAD, {"host": door.url.removeprefix("http://"), "files": f"{url}/files"})
        await page.evaluate(CALLS)
        events = await door.arrived(visitor, lambda events: set(names(events)) >= EVENTS - {"alias"})
    assert {name: only(events, name)["identifiers"] for name in ("page_viewed", "identify", "order_paid")} == {
        "page_viewed": {"anonymous_id": visitor},
        "identify": {"user_id": "42", "anonymous_id": visitor, "email": "Ann@Example.com"},
        "order_paid": {"user_id": "42", "anonymous_id": visitor},
    }
    assert only(events, "order_paid")["properties"] == {"amount": 12.5, "text": "你😀"}
    assert only(events, "page_viewed")["properties"]["path"] == "/cars"
    assert only(events, "group_joined")["properties"]["group_id"] == "g-1"
    assert all(event["event_id"] and event["occurred_at"] and event["sent_at"] for event in events)
