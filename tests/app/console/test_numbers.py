"""What durations of several workers say together, between two looks."""

from app.console.numbers import Look, gained, lately, quantile, rate, speed
from app.console.shapes import within
from app.console.texts import LANGUAGE
from app.latency import BOUNDS_SECONDS

NOTHING = (0,) * (len(BOUNDS_SECONDS) + 1)


def counts(**at: int) -> tuple[int, ...]:
    """So many at the bound of that place: `counts(b2=5)`."""
    return tuple(at.get(f"b{place}", 0) for place in range(len(NOTHING)))


def test_only_what_came_between_two_looks_counts() -> None:
    told = speed({"a": counts(b9=1_000)}, {"a": counts(b9=1_000, b2=19, b5=1)})
    assert told == (20, BOUNDS_SECONDS[2], BOUNDS_SECONDS[2])


def test_all_workers_count() -> None:
    assert speed({}, {"a": counts(b1=1), "b": counts(b4=3)}) == (4, BOUNDS_SECONDS[4], BOUNDS_SECONDS[4])


def test_a_worker_that_began_anew_counts_from_there() -> None:
    assert gained(counts(b1=50), counts(b2=3)) == counts(b2=3)


def test_nothing_has_no_speed_and_beyond_all_bounds_is_no_bound() -> None:
    assert speed({}, {}) == (0, None, None)
    assert quantile(NOTHING, 0.5) is None
    assert quantile((*NOTHING[:-1], 5), 0.5) is None


def test_where_nothing_happened_lately_the_time_before_is_told() -> None:
    before = {"a": counts(b3=7)}
    assert lately(before, before) == speed({}, before)
    assert lately(before, {"a": counts(b3=7, b1=1)}).durations == 1


def test_a_rate_is_of_events_and_never_negative() -> None:
    earlier, later = Look(10.0, 100, {}, {}), Look(12.0, 350, {}, {})
    assert rate(earlier, later) == 125.0
    assert rate(later._replace(at=9.0), earlier) == 0.0


def test_a_bound_is_told_in_its_unit() -> None:
    assert [within(seconds, LANGUAGE["en"]) for seconds in (0.025, 2.0, None)] == ["≤ 25 ms", "≤ 2 s", "—"]
