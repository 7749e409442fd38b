"""Patience: fetches are short while there is work, and long again when all is quiet."""

import asyncio
from types import SimpleNamespace

from app.runtime.patience import BUSY_BYTES, BUSY_MS, QUIET_BYTES, QUIET_MS, QUIET_SECONDS, Patience

QUIET, BUSY = (QUIET_BYTES, QUIET_MS), (BUSY_BYTES, BUSY_MS)


class Fetcher(SimpleNamespace):
    """What a fetcher asks for."""

    @property
    def asks(self) -> tuple[int, int]:
        return self._fetch_min_bytes, self._fetch_max_wait_ms


async def test_it_comes_back_when_all_is_quiet() -> None:
    patience, fetcher = Patience(lambda: False), Fetcher()
    patience.lose(fetcher)
    assert fetcher.asks == BUSY
    await asyncio.sleep(5 * QUIET_SECONDS)
    assert fetcher.asks == QUIET


async def test_it_does_not_come_back_while_there_is_work_in_hand() -> None:
    work = ["a batch"]
    patience, fetcher = Patience(lambda: bool(work)), Fetcher()
    patience.lose(fetcher)
    await asyncio.sleep(5 * QUIET_SECONDS)
    assert fetcher.asks == BUSY
    work.clear()
    await asyncio.sleep(5 * QUIET_SECONDS)
    assert fetcher.asks == QUIET


async def test_records_that_come_meanwhile_begin_the_time_anew() -> None:
    patience, fetcher = Patience(lambda: False), Fetcher()
    for _ in range(6):
        patience.lose(fetcher)
        await asyncio.sleep(QUIET_SECONDS / 2)
        assert fetcher.asks == BUSY
    await asyncio.sleep(5 * QUIET_SECONDS)
    assert fetcher.asks == QUIET
