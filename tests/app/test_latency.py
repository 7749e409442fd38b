"""Durations: counted under their bounds, and events of one batch never counted with another's."""

import asyncio
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.clock import now_ms
from app.latency import BOUNDS_SECONDS, Histogram, VisibleDelay, hear


@given(st.lists(st.floats(-1, 1_000)))
def test_each_duration_is_counted_below_every_bound_it_does_not_exceed(seconds: list[float]) -> None:
    histogram = Histogram()
    for one in seconds:
        histogram.observe(one)
    assert histogram.buckets() == [
        *((str(bound), sum(one <= bound for one in seconds)) for bound in BOUNDS_SECONDS),
        ("+Inf", len(seconds)),
    ]
    assert abs(histogram.sum - sum(max(0.0, one) for one in seconds)) < 1e-6


def records(*ages_seconds: float) -> list[Any]:
    return [SimpleNamespace(timestamp=now_ms() - round(age * 1000)) for age in ages_seconds]


async def test_a_record_counts_from_the_brokers_time() -> None:
    delay = VisibleDelay()
    delay(records(100, 0))
    assert dict(delay.seconds.buckets())["60.0"] == 1
    assert delay.seconds.buckets()[-1] == ("+Inf", 2)


async def test_events_count_when_their_own_batch_is_written_and_once() -> None:
    delay, written = VisibleDelay(), asyncio.Event()

    async def slow() -> None:
        hear(now_ms() - 100_000)
        await written.wait()
        delay(records())
        delay(records())

    async def fast() -> None:
        hear(now_ms())
        hear(now_ms())
        delay(records())
        assert dict(delay.visible.buckets())["60.0"] == delay.visible.buckets()[-1][1] == 2
        written.set()

    await asyncio.gather(asyncio.create_task(slow()), asyncio.create_task(fast()))
    assert delay.visible.buckets()[-1] == ("+Inf", 3)
