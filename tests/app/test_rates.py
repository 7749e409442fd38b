"""Rates: nobody gets more than his over a long time, a burst passes, and what is too much is told when it will do."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from app.rates import BURST_SECONDS, Bucket, Rates
from app.web import Refusal

steps = st.lists(st.tuples(st.floats(0, 5), st.integers(1, 3)), max_size=60)


class Clock:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def passed(rates: Rates, name: str, times: int, rate: float | None = None) -> int:
    before = rates.refused
    for _ in range(times):
        with suppress(Refusal):
            rates.take(name, rate)
    return times - (rates.refused - before)


def test_a_burst_passes_and_then_the_rate() -> None:
    rates = Rates(10, clock := Clock())
    assert passed(rates, "crm", 100) == 20
    clock.now += 1
    assert passed(rates, "crm", 100) == 10


def test_callers_do_not_share_and_may_have_a_rate_of_their_own() -> None:
    rates = Rates(1, Clock())
    assert [passed(rates, "a", 9), passed(rates, "b", 9), passed(rates, "c", 9, rate=3)] == [2, 2, 6]
    assert rates.refused == 7 + 7 + 3


def test_without_a_rate_everything_passes() -> None:
    assert passed(Rates(0, Clock()), "a", 10_000) == 10_000


def test_a_batch_that_is_larger_than_the_bucket_passes_and_is_paid_back() -> None:
    bucket = Bucket(10, 0.0)
    assert bucket.passes(0.0, 100)
    assert not bucket.passes(7.9)
    assert bucket.passes(8.2)


@given(st.floats(0.1, 100), steps)
def test_over_any_time_at_most_the_rate_and_one_burst_pass(rate: float, taken: list[tuple[float, int]]) -> None:
    bucket, now, total = Bucket(rate, 0.0), 0.0, 0
    for pause, count in taken:
        now += pause
        total += count if bucket.passes(now, count) else 0
    assert total <= max(1.0, rate * BURST_SECONDS) + rate * now + 3


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket(1, 100.0)
    assert [bucket.passes(100.0), bucket.passes(99.0), bucket.passes(50.0)] == [True, True, False]
