"""How the house is: the status, what workers know of their speed, and how both change.

A rate is the difference of two counts that somebody looked at; who looks first sees it a moment later.
"""

import asyncio
import time
from collections import deque
from itertools import pairwise
from typing import Any

import msgspec

from app.console.numbers import Counts, Look, Numbers, Waiting, lately, rate
from app.instance import table, traffic
from app.latency import Histogram
from app.lookups import peers
from app.tallies import census, shown
from app.views import reporter

LOOKS_MAX, LOOK_SECONDS, WINDOW_SECONDS = 60, 1.0, 10.0
WAITING_MAX = 20


_looks: deque[Look] = deque(maxlen=LOOKS_MAX)


def own() -> Numbers:
    """This worker's part."""
    lookups = [_counts(histogram) for route, histogram in traffic.seconds.items() if route.startswith("/v1/")]
    together = tuple(sum(column) for column in zip(*lookups, strict=True)) if lookups else _counts(Histogram())
    waiting = [Waiting(uid, frozen.since, frozen.pending) for uid, frozen in census.waiting(table.live, WAITING_MAX)]
    return Numbers(peers.here, _counts(shown.visible), together, waiting)


async def house() -> dict[str, Any]:
    """The status, how long it took to ask everybody, and what is gained a second."""
    began = time.monotonic()
    status, parts = await asyncio.gather(reporter.document(), _numbers())
    look = _look(status["events"], parts)
    before = [one for one in _looks if look.at - one.at <= WINDOW_SECONDS]
    waiting = sorted((one for part in parts for one in part.waiting), key=lambda one: one.since)
    return {
        "status": status,
        "took_ms": round((look.at - began) * 1000),
        "rate": rate(before[0], look) if before and before[0] is not look else None,
        "rates": [rate(*pair) for pair in pairwise(_looks)],
        "visible": lately(_looks[0].visible, look.visible),
        "lookups": lately(_looks[0].lookups, look.lookups),
        "waiting": waiting[:WAITING_MAX],
    }


async def _numbers() -> list[Numbers]:
    others = [address for address in peers.workers() if address != peers.here]
    bodies = await asyncio.gather(*(peers.get(address, "_peer/house") for address in others))
    return [own(), *(msgspec.msgpack.decode(body, type=Numbers) for body in bodies)]


def _look(events: object, parts: list[Numbers]) -> Look:
    """The look of now, remembered unless the last one is hardly older."""
    assert isinstance(events, int)
    visible, lookups = {part.worker: part.visible for part in parts}, {part.worker: part.lookups for part in parts}
    look = Look(time.monotonic(), events, visible, lookups)
    if not _looks or look.at - _looks[-1].at >= LOOK_SECONDS:
        _looks.append(look)
    return look


def _counts(histogram: Histogram) -> Counts:
    """By bound, where Prometheus wants them added up."""
    totals = [0, *(total for _, total in histogram.buckets())]
    return tuple(after - before for before, after in pairwise(totals))
