"""What the tests of this folder share: the real broker, one for the session, on free ports, in a directory of its own; and a
real browser, one for each test."""

import random
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Page

from app.broker import Broker
from tests.real.browser import Watched, running

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Started; a test that kills or stops it starts it again. Its methods block, also where a loop is running."""
    started = Broker(LOOPBACK, free_port_pair(), tmp_path_factory.mktemp("broker"))
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


def free_port_pair() -> int:
    """A port that is free together with the next one; at random, for other sessions on this machine look for theirs too."""
    candidates = random.sample(range(20_000, 32_000, 2), k=200)
    return next(port for port in candidates if is_free(port) and is_free(port + 1))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0
