"""One system and one browser for all tests of the console: a person for each story, and visitors who are signed in.

A page that leaves a fault (an error, an exception, a request to anybody else) fails its test; see `tests.real.browser`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from app.broker import Broker
from app.settings import PACKAGED_CONFIG
from app.tokens import digest_of
from tests.real.browser import Watched, running
from tests.real.console.stories import ALL, BORROWS, RULE
from tests.real.system import ADMIN, READ, System

Open = Callable[..., Awaitable[Page]]
MASKED = "a-masked-reader-of-tests"
TOKENS = f"""[[tokens]]
name = "masked"
scopes = ["read_masked"]
sha256 = "{digest_of(MASKED).hex()}"
"""


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def system(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    root = tmp_path_factory.mktemp("console")
    text = PACKAGED_CONFIG.read_text(encoding="utf-8").replace("session_gap_minutes = 30", RULE, 1)
    (root / "tokens.toml").write_text(TOKENS)
    async with System.run(broker.bootstrap, "console", root) as running:
        running.configure(text)
        running.environment["ONETRAIL_TOKENS"] = str(root / "tokens.toml")
        await running.started()
        await running.tell(ALL)
        await running.tell(BORROWS)
        await running.settled()
        yield running


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def shared_browser() -> AsyncIterator[Watched]:
    async with running() as started:
        yield Watched(started)


@pytest_asyncio.fixture(loop_scope="package")
async def watched(shared_browser: Watched) -> AsyncIterator[Watched]:
    """The browser, its faults counted for each test."""
    shared_browser.forget()
    yield shared_browser
    assert shared_browser.faults == []


@pytest_asyncio.fixture(loop_scope="package", scope="package")
async def signed_in(system: System, shared_browser: Watched) -> dict[str, Any]:
    """Token -> what a browser keeps of its sign-in."""
    kept: dict[str, Any] = {}
    for token in (READ, MASKED, ADMIN):
        page = await shared_browser.page()
        await sign_in(page, system, token)
        await page.wait_for_selector(".finder")
        kept[token] = await page.context.storage_state()
        await page.context.close()
    return kept


@pytest_asyncio.fixture(loop_scope="package")
async def visit(system: System, watched: Watched, signed_in: dict[str, Any]) -> AsyncIterator[Open]:
    """Opens a page of the console for whoever has a token; `more` are options of the profile."""
    profiles: list[BrowserContext] = []

    async def visit(path: str = "", token: str = READ, language: str = "en-US", **more: Any) -> Page:
        profile = await watched.profile(storage_state=signed_in[token], locale=language, **more)
        profiles.append(profile)
        page = await profile.new_page()
        await page.goto(address(system, path))
        return page

    yield visit
    for profile in profiles:
        await profile.close()


def address(system: System, path: str = "", **query: str) -> str:
    """Of a page of the console."""
    return f"{system.workers[0].url}/console/{path}" + (f"?{urlencode(query)}" if query else "")


async def sign_in(page: Page, system: System, token: str, path: str = "") -> None:
    """Shows a token at the sign-in of a page."""
    await page.goto(address(system, path))
    await page.fill("#token", token)
    await page.press("#token", "Enter")
