"""Who comes in and what a page may do: sign-in and its refusal, cookies, the policy of content, what people sent as text."""

import re
from typing import Any

import aiohttp
import pytest
from playwright.async_api import expect

from tests.real.browser import Watched
from tests.real.console.conftest import MASKED, Open, address, sign_in
from tests.real.console.stories import EVIL
from tests.real.system import ADMIN, READ, System

pytestmark = pytest.mark.asyncio(loop_scope="package")

PAGES = ["", "?id=wmX", "why?id=wmX", "house", "nothing", "static/0/main.js"]
ACTIONS = ["unlink?id=user_id:parted", "erase?id=user_id:forgotten", "again", "sign-out"]


async def ask(system: System, path: str, method: str = "GET", **more: Any) -> tuple[int, str, Any]:
    """Status, body and headers of a request that no browser makes."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, address(system, path), allow_redirects=False, **more) as answer,
    ):
        return answer.status, await answer.text(), answer.headers


async def cookie_of(system: System, token: str) -> str:
    """What a sign-in gives."""
    _, _, headers = await ask(system, "sign-in", "POST", data={"token": token})
    return str(headers["Set-Cookie"]).partition(";")[0]


async def test_a_wrong_token_is_refused_and_a_right_one_leads_to_where_one_wanted(watched: Watched, system: System) -> None:
    watched.expects("401")
    page = await watched.page()
    await sign_in(page, system, "wrong", "?id=wmX")
    await expect(page.locator("#failed")).to_contain_text("not known here")
    await expect(page.locator("#token")).to_have_attribute("aria-invalid", "true")
    await page.fill("#token", READ)
    await page.click("main button")
    await expect(page.locator(".event")).to_have_count(5)
    (cookie,) = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/console/")
    assert READ not in cookie["value"]
    await page.click(".out button")
    await expect(page.locator("#token")).to_be_visible()
    assert await page.context.cookies() == []
    assert await page.evaluate("localStorage.length") == 0
    await page.context.close()


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_is_shown_to_who_is_not_signed_in(system: System, path: str) -> None:
    status, body, _ = await ask(system, path)
    assert status == (404 if path in ("nothing", "static/0/main.js") else 200)
    assert "+8613800138000" not in body
    assert "ck-1" not in body
    assert "console:" not in body


@pytest.mark.parametrize("path", ["part/rows?id=wmX", "part/house", "part/rejected?reason=not_json"])
async def test_a_part_without_a_sign_in_is_401(system: System, path: str) -> None:
    assert (await ask(system, path, headers={"X-Onetrail-Part": "1"}))[0] == 401


@pytest.mark.parametrize("path", ACTIONS)
async def test_a_change_without_the_proof_of_our_page_is_refused(system: System, path: str) -> None:
    cookie = await cookie_of(system, ADMIN)
    for proof in ({}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": ""}):
        assert (await ask(system, path, "POST", headers={"Cookie": cookie, **proof}))[0] == 403
    assert (await ask(system, path, "POST"))[0] == 401


@pytest.mark.parametrize("path", ACTIONS[:-1])
async def test_a_reader_changes_nothing(system: System, path: str) -> None:
    cookie = await cookie_of(system, READ)
    _, body, _ = await ask(system, "", headers={"Cookie": cookie})
    found = re.search(r'data-csrf="([^"]+)"', body)
    assert found is not None
    assert (await ask(system, path, "POST", headers={"Cookie": cookie, "X-CSRF-Token": found[1]}))[0] == 403


async def test_a_cookie_of_the_console_is_none_for_the_lookups(system: System) -> None:
    cookie = await cookie_of(system, ADMIN)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{system.workers[0].url}/v1/status", headers={"Cookie": cookie}) as answer,
    ):
        assert answer.status == 401


async def test_another_site_cannot_sign_anybody_in(system: System) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await ask(system, "sign-in", "POST", data={"token": READ}, headers=headers))[0] == 403


@pytest.mark.parametrize("target", ["https://elsewhere.example", "//elsewhere.example", "/console//elsewhere", "/v1/status"])
async def test_a_sign_in_leads_nowhere_else(system: System, target: str) -> None:
    _, _, headers = await ask(system, "sign-in", "POST", data={"token": READ, "target": target})
    assert headers["Location"] == "/console/"


async def test_who_follows_a_link_from_another_site_need_not_sign_in_again(system: System) -> None:
    _, body, _ = await ask(system, "?id=wmX", headers={"Sec-Fetch-Site": "cross-site"})
    assert '<meta http-equiv="refresh" content="0">' in body
    _, body, _ = await ask(system, "?id=wmX", headers={"Sec-Fetch-Site": "same-origin"})
    assert 'id="token"' in body


@pytest.mark.parametrize("path", PAGES[:-1])
async def test_a_page_keeps_to_itself(system: System, path: str) -> None:
    _, _, headers = await ask(system, path)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")


async def test_what_people_sent_is_text_wherever_it_stands(visit: Open) -> None:
    """Any script of theirs would change the title, or be noted as a breach of the policy: a fault of the page."""
    page = await visit("?id=javascript:alert(1)", token=ADMIN)
    await expect(page.locator(".event")).to_have_count(2)
    await expect(page.locator(".event b").first).to_have_text(f"{EVIL}<b onmouseover=alert(1)>{{{{7*7}}}}")
    await page.locator(".event summary").first.click()
    await expect(page.locator(".event pre").first).to_contain_text("<svg/onload=alert(1)>")
    await page.locator(".traits").scroll_into_view_if_needed()
    await expect(page.locator(".traits")).to_contain_text(f"</dd></dl>{EVIL}")
    assert await page.locator("main script, main img, main svg[onload], main b[onmouseover]").count() == 0
    await page.click(".tabs a:last-child")
    await page.locator(".spot").first.click()
    await page.locator(".spot").last.click()
    await expect(page.locator(".path")).to_contain_text(f"h0{EVIL}")
    assert "taken" not in await page.title()


async def test_who_may_not_see_personal_values_sees_none(visit: Open) -> None:
    page = await visit("?id=wmX", token=MASKED)
    await expect(page.locator("#identifiers")).to_contain_text("138****8000")
    for path in ("?id=wmX", "why?id=wmX"):
        await page.goto(page.url.partition("/console/")[0] + f"/console/{path}")
        content = await page.content()
        assert "13800138000" not in content
        assert "138****8000" in content


async def test_who_looked_at_whom_is_written_down(system: System, visit: Open) -> None:
    await visit("?id=order_user_id:o-77", token=MASKED)
    for _ in range(50):
        records = [record.value.decode() for record in await system.read("audit")]
        told = [record for record in records if '"who":"masked"' in record and "order_user_id:" in record]
        if told:
            break
    assert '"route":"/console/"' in told[-1]
    assert '"unified_user_id":"u_' in told[-1]
    assert "o-77" not in told[-1]
