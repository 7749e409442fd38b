"""A page cannot do in secret what a visitor would not accept: the browser of these tests notes it, unless a test expects it."""

from urllib.parse import quote

from tests.real.browser import Watched

FAULTS = {
    "console.log('fine')": "",
    "console.error('broken')": "console error: broken",
    "throw new Error('uncaught')": "exception: uncaught",
    "Promise.reject(new Error('unheard'))": "exception: unheard",
    "new Image().src = 'http://tracker.example/pixel.gif'": "request to tracker.example: http://tracker.example/pixel.gif",
    "new WebSocket('ws://tracker.example/')": "request to tracker.example: ws://tracker.example/",
    "fetch('http://127.0.0.1.tracker.example/').catch(() => 0)": "request to 127.0.0.1.tracker.example",
}


async def test_what_a_page_does_wrong_is_noted(browser: Watched) -> None:
    for script, fault in FAULTS.items():
        before = len(browser.faults)
        page = await browser.page()
        await page.goto("data:text/html," + quote(f"<script>{script}</script>"))
        await page.evaluate("new Promise(done => setTimeout(done))")
        noted = browser.faults[before:]
        assert any(one.startswith(fault) for one in noted) if fault else noted == [], (script, noted)
        await page.context.close()
    browser.expects("broken|uncaught|unheard|tracker.example|ERR_NAME_NOT_RESOLVED")
    assert browser.faults == []
