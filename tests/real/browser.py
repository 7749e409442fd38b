"""Debian's Chromium, driven by tests through Playwright, and watched: what a visitor would not accept fails the test.

`Watched` opens pages, each in a profile of its own (or several in one). It notes every console error, every exception that a
page did not catch, every request to a host that is not this machine; `faults` are those that the test did not announce by
`expects`. Names of other hosts do not resolve in this browser, so a request that is noted has reached nobody.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    WebError,
    WebSocket,
    async_playwright,
    expect,
)

ASK_FOR_CHROMIUM = "install Chromium: sudo apt install chromium"
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)
LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}
NETWORK_SCHEMES = {"http", "https", "ws", "wss"}
WAIT_MS = 15_000
"""A page that does not show what is awaited fails its test."""
expect.set_options(timeout=WAIT_MS)


def chromium() -> str | None:
    """The browser: that of the variable CHROMIUM (a name or a path), else `chromium` on the path; None = there is none."""
    return shutil.which(os.environ.get("CHROMIUM", "chromium"))


@asynccontextmanager
async def running() -> AsyncIterator[Browser]:
    """The browser, started; it ends with the context. On a machine without Chromium only CI insists on it."""
    executable = chromium()
    if executable is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(ASK_FOR_CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(FLAGS), chromium_sandbox=False)
        try:
            yield browser
        finally:
            await browser.close()


class Watched:
    """Pages in a running browser. `faults` are the sentences for what went wrong in them and was not expected."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self._noted: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    @classmethod
    @asynccontextmanager
    async def within(cls, browser: Browser) -> AsyncIterator[Self]:
        """All its pages end with the context, which fails where they left faults."""
        watched = cls(browser)
        try:
            yield watched
        finally:
            for profile in browser.contexts:
                await profile.close()
        assert watched.faults == [], watched.faults

    async def profile(self, **options: Any) -> BrowserContext:
        """A fresh profile, without cookies or storage; the options are those of Playwright's `new_context`."""
        context = await self.browser.new_context(**options)
        context.set_default_timeout(WAIT_MS)
        context.on("console", self._on_console)
        context.on("weberror", self._on_exception)
        context.on("request", self._on_request)
        context.on("page", lambda page: page.on("websocket", self._on_websocket))
        return context

    async def page(self, **options: Any) -> Page:
        """A page in a fresh profile, which is its `context`."""
        return await (await self.profile(**options)).new_page()

    def expects(self, pattern: str) -> None:
        """Faults that match are what this test is about: an error that it causes on purpose."""
        self._expected.append(re.compile(pattern))

    def forget(self) -> None:
        """Begins anew for another test of the same browser."""
        self._noted.clear()
        self._expected.clear()

    @property
    def faults(self) -> list[str]:
        return [fault for fault in self._noted if not any(pattern.search(fault) for pattern in self._expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._noted.append(f"console error: {message.text} ({message.location['url']})")

    def _on_exception(self, error: WebError) -> None:
        self._noted.append(f"exception: {error.error}")

    def _on_request(self, request: Request) -> None:
        self._note_stranger(request.url)

    def _on_websocket(self, socket: WebSocket) -> None:
        self._note_stranger(socket.url)

    def _note_stranger(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme in NETWORK_SCHEMES and host not in LOOPBACK_HOSTS and not host.endswith(".localhost"):
            self._noted.append(f"request to {host}: {url}")
