"""What the tests of this folder share: the real broker, one for the session, on free ports, in a directory of its own; and a
real browser, one for each test."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from playwright.async_api import Page

from app.administration import administering
from app.broker import Broker
from tests.ports import LOOPBACK, free_port_pair
from tests.real.browser import Watched, running


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Started; who kills or stops one takes `own_broker`. Its methods block, also where a loop is running."""
    with kafka(tmp_path_factory.mktemp("broker")) as started:
        yield started


@pytest_asyncio.fixture
async def admin(broker: Broker) -> AsyncIterator[AIOKafkaAdminClient]:
    """For topics."""
    async with administering(broker.bootstrap) as client:
        yield client


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """For the tests of a file that kill it and start it again.

    It holds their topics alone, so it is back within seconds; that of the session has a thousand logs to look through.
    """
    with kafka(tmp_path_factory.mktemp("own_broker")) as started:
        yield started


@contextmanager
def kafka(data: Path) -> Iterator[Broker]:
    """A broker on free ports, while it is needed."""
    started = Broker(LOOPBACK, free_port_pair(), data)
    started.start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Watched]:
    """Fails the test that leaves faults in its pages; see `Watched`."""
    async with running() as started, Watched.within(started) as watched:
        yield watched


@pytest.fixture
async def page(browser: Watched) -> Page:
    """An empty page in a fresh profile of `browser`."""
    return await browser.page()
