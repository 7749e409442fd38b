"""`python -m tests.fire.measure`: how long nobody answers for a dead worker's people, and how fast rows are read back.

Each figure of a take-over is the longest time, over people whom the dead worker owned, between two right answers: with the
worker started again by its supervisor at once, with nobody to start it, and the same with a standby of every partition.
"""

import argparse
import asyncio
import logging
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.settings import PACKAGED_CONFIG
from tests.fire.log_faults import CHANGELOG
from tests.fire.probe import Prober
from tests.fire.site import Site
from tests.real.crowd import Crowd, Truth, truth
from tests.real.system import Unreachable, Worker

EVENTS, RESIDENTS = 40_000, 40
MOVED_SECONDS_MAX = 120.0


async def takeovers(root: Path, standbys: int, restarted: bool, kills: int, events: int) -> list[float]:
    """The seconds of each take-over of one of two workers."""
    text = PACKAGED_CONFIG.read_text(encoding="utf-8").replace("standbys = 0", f"standbys = {standbys}", 1)
    (root / "own.toml").write_text(text, encoding="utf-8")
    async with Site.run(root, ONETRAIL_CONFIG=str(root / "own.toml")) as site:
        people = await _filled(site, events, workers=2)
        return [await _takeover(site, people, kill % 2, restarted) for kill in range(kills)]


async def _filled(site: Site, events: int, workers: int) -> Sequence[Truth]:
    """Workers that hold so many events; some people in them."""
    for _ in range(workers):
        site.add()
    await site.ready()
    residents = Crowd(seed=1, people=RESIDENTS).events(RESIDENTS * 5)
    await site.system.tell(residents)
    await site.system.tell(Crowd(seed=1, people=events // 20, first=1_000).events(events))
    await site.system.settled(seconds=300)
    return truth(residents)


async def _takeover(site: Site, people: Sequence[Truth], number: int, restarted: bool) -> float:
    goes, stays = site.wanted[number], site.wanted[1 - number]
    prober = Prober(site.system, people, lambda: [stays])
    async with prober.running():
        await prober.calm(MOVED_SECONDS_MAX)
        if not restarted:
            site.hands_off.add(goes.name)
        goes.kill()
        await prober.calm(MOVED_SECONDS_MAX, refused=1)
    site.hands_off.discard(goes.name)
    await site.ready()
    await _balanced(site)
    assert prober.wrong == [], prober.wrong
    return prober.gap


async def _balanced(site: Site) -> None:
    """Until both workers own something and all is settled."""
    end = time.monotonic() + MOVED_SECONDS_MAX
    while [bool(one["partitions"]) for one in (await site.system.settled())["workers"]] != [True, True]:
        assert time.monotonic() < end, "the partitions did not move back"
        await asyncio.sleep(0.2)


async def recovery(root: Path, events: int) -> tuple[int, int, float]:
    """Changelog records, their bytes on Kafka's disk, and the seconds in which a worker without a disk read them."""
    async with Site.run(root) as site:
        await _filled(site, events, workers=1)
        (worker,) = site.wanted
        site.hands_off.add(worker.name)
        worker.kill()
        worker.wipe()
        size = sum(file.stat().st_size for file in site.broker.directory.glob(f"log/{CHANGELOG}-*/*.log"))
        worker.start()
        began, last = 0.0, 0
        end = time.monotonic() + MOVED_SECONDS_MAX
        while not await site.is_ready(worker):
            assert time.monotonic() < end, worker.tail()
            read, now = await _read(site, worker), time.monotonic()
            if read > last:
                began, last = began or now, read
            await asyncio.sleep(0.02)
        return await _read(site, worker), size, time.monotonic() - began


async def _read(site: Site, worker: Worker) -> int:
    try:
        text = (await site.system.get("/metrics", worker)).body
    except Unreachable:
        return 0
    return int(sum(map(float, re.findall(r"(?m)^onetrail_changelog_records_total{.*} (.*)$", text))))


def main(arguments: list[str]) -> int:
    """Prints lines of a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.fire.measure", description=__doc__)
    parser.add_argument("--kills", type=int, default=6, help="of each kind (default 6)")
    parser.add_argument("--events", type=int, default=EVENTS, help=f"in the tables (default {EVENTS:,})")
    options = parser.parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    cases = [("its supervisor starts it again", 0, True), ("nobody does", 0, False), ("nobody does; with standbys", 1, False)]
    for what, standbys, restarted in cases:
        with tempfile.TemporaryDirectory(prefix="onetrail-fire-") as root:
            found = asyncio.run(takeovers(Path(root), standbys, restarted, options.kills, options.events))
        print(f"| take-over after kill -9, {what} | {statistics.median(found):.1f} s | {max(found):.1f} s |", flush=True)
    with tempfile.TemporaryDirectory(prefix="onetrail-fire-") as root:
        records, size, seconds = asyncio.run(recovery(Path(root), options.events))
    print(f"| recovery of a worker without its disk | {records / seconds:,.0f} rows/s | {size / seconds / 1e6:.1f} MB/s |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
