"""The collector that the pages of this folder tell, for the session, and what came of it into the topic of its channel."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from app.broker import Broker
from app.settings import PACKAGED_CONFIG
from tests.real.browser import Watched, running
from tests.real.collecting import Collector, events_of

Event = dict[str, Any]
ARRIVED_SECONDS = 20.0
CONFIRMED = "!Object.keys(localStorage).some(key => key.startsWith('onetrail.e.'))"


class Door:
    """The collector: `url` is where it listens, `config` its file, `prefix` that of its topics."""

    def __init__(self, broker: Broker, collector: Collector, config: Path) -> None:
        self.broker, self.url, self.prefix, self.config = broker, collector.url, collector.prefix, config

    async def told(self, visitor: str) -> list[Event]:
        """What came of a visitor, by his anonymous id, in the order in which it happened; each event once."""
        found: dict[str, Event] = {}
        for event in await asyncio.to_thread(events_of, self.broker, self.prefix):
            if event["identifiers"].get("anonymous_id") == visitor:
                known = found.setdefault(event["event_id"], event)
                assert {**known, "sent_at": None} == {**event, "sent_at": None}, "one id is one event"
        return sorted(found.values(), key=lambda event: (event["occurred_at"], event["event_id"]))

    async def arrived(self, visitor: str, is_there: Callable[[list[Event]], bool]) -> list[Event]:
        """What came of a visitor, as soon as it is so."""
        end = time.monotonic() + ARRIVED_SECONDS
        while not is_there(events := await self.told(visitor)):
            assert time.monotonic() < end, events
        return events

    async def confirmed(self, page: Page) -> list[Event]:
        """What came of the visitor of a page, when the page has the answer to all that it told."""
        await page.wait_for_function(CONFIRMED)
        return await self.told(await visitor_of(page))


async def visitor_of(page: Page) -> str:
    """The anonymous id."""
    return str(await page.evaluate("onetrail.anonymousId()"))


def names(events: list[Event]) -> list[str]:
    """What happened."""
    return [event["event"] for event in events]


def only(events: list[Event], name: str) -> Event:
    """The one event of this name."""
    (found,) = [event for event in events if event["event"] == name]
    return found


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One for all tests of this folder: each has profiles of its own in it."""
    async with running() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Watched]:
    async with Watched.within(chromium) as watched:
        yield watched


@pytest.fixture(scope="session")
def door(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    directory = tmp_path_factory.mktemp("pages")
    config = directory / "onetrail.toml"
    config.write_text(PACKAGED_CONFIG.read_text())
    with Collector.run(broker, directory, f"pages{time.time_ns()}", config=config) as collector:
        yield Door(broker, collector, config)
