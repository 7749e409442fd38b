"""What waits on disk: in order, once, and still there after a crash."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from app.edge.sieve import Kept
from app.edge.spool import READ, SEEN_MS, TOLD_MS, Place, Spool
from tests.app.edge.conftest import NOW


def kept(number: int) -> Kept:
    return Kept(b"id%d" % number, b"event %d" % number)


def raws(spool: Spool) -> list[bytes]:
    return [raw for _, raw in spool.next(1_000, 10**9)]


def test_events_wait_in_order_until_they_are_sent(spool: Spool) -> None:
    spool.take([kept(2), kept(1)], NOW)
    spool.take([kept(3)], NOW)
    assert raws(spool) == [b"event 2", b"event 1", b"event 3"]
    spool.sent([number for number, _ in spool.next(2, 10**9)])
    assert (raws(spool), spool.waiting()) == ([b"event 3"], 1)


def test_a_batch_has_at_most_so_many_and_so_much_but_one_at_least(spool: Spool) -> None:
    spool.take([kept(number) for number in range(9)], NOW)
    assert (len(spool.next(4, 10**9)), len(spool.next(9, 15)), len(spool.next(9, 1))) == (4, 2, 1)


def test_a_repetition_is_held_back_and_counted_also_after_it_was_sent(spool: Spool) -> None:
    counts = spool.take([kept(1), kept(1), "crawler"], NOW)
    spool.sent([1])
    assert counts == {READ: 3, "repeat": 1, "crawler": 1}
    assert spool.take([kept(1)], NOW) == {READ: 1, "repeat": 1}
    assert raws(spool) == []


def test_ids_are_forgotten_after_two_days(tmp_path: Path) -> None:
    with_old = Spool(tmp_path / "s")
    with_old.take([kept(1)], NOW)
    with_old.close()
    spool = Spool(tmp_path / "s")
    spool.take([], NOW + SEEN_MS + 1)
    assert spool.take([kept(1)], NOW + SEEN_MS + 1)["repeat"] == 0
    spool.close()


def test_what_was_read_and_how_far_are_one_transaction(spool: Spool) -> None:
    def torn() -> Iterator[Kept]:
        yield kept(1)
        raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError):
        spool.take(torn(), NOW, Place("a", "1", 17))
    assert (raws(spool), spool.offset("a", "1")) == ([], 0)
    spool.take([kept(1)], NOW, Place("a", "1", 17))
    assert (spool.offset("a", "1"), spool.offset("a", "2")) == (17, 0)
    spool.forget_files(["b"])
    assert spool.offset("a", "1") == 0


def test_counts_are_told_in_pieces_that_never_change(spool: Spool) -> None:
    spool.take(["crawler"], NOW)
    assert spool.tellings() == []
    spool.take(["crawler", kept(1)], NOW + TOLD_MS)
    spool.take(["crawler"], NOW + TOLD_MS + 1)
    (first,) = spool.tellings()
    assert (first.counts, first.since_ms, first.until_ms) == ({READ: 3, "crawler": 2}, NOW, NOW + TOLD_MS)
    spool.take(["crawler"], NOW)  # the clock was set back
    last = spool.tellings(at_end=True)
    assert (last[0], len({one.id for one in last})) == (first, 3)
    for one in last:
        spool.told(one.number)
    assert spool.tellings(at_end=True) == []


def test_the_size_is_what_is_in_use(spool: Spool) -> None:
    empty = spool.size()
    spool.take([Kept(b"%d" % number, bytes(10_000)) for number in range(100)], NOW)
    assert spool.size() > 1_000_000
    spool.sent([number for number, _ in spool.next(100, 10**9)])
    assert spool.size() < empty + 100_000


def test_what_the_centre_will_never_take_is_kept_aside(spool: Spool, tmp_path: Path) -> None:
    spool.take([kept(1), kept(2)], NOW)
    spool.set_aside(1, b"event 1", "413: too large")
    assert raws(spool) == [b"event 2"]
    with sqlite3.connect(tmp_path / "spool" / "spool.sqlite") as db:
        assert db.execute("select event, why from refused").fetchall() == [(b"event 1", "413: too large")]
    db.close()


def test_clicks_on_one_thing_count_a_while_apart(spool: Spool) -> None:
    def click(number: int, at_ms: int, subject: str = "60000.a") -> Kept:
        return kept(number)._replace(click=subject, occurred_at_ms=NOW + at_ms)

    first = [click(1, 0), click(2, 59_999), click(3, 60_000), click(4, 60_001, "60000.b"), click(5, 119_999), click(6, -1)]
    assert spool.take(first, NOW)["repeated_click"] == 2
    assert raws(spool) == [b"event 1", b"event 3", b"event 4", b"event 6"]


def test_whoever_closes_waits_for_what_is_in_the_middle(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    begun, goes_on = threading.Event(), threading.Event()

    def slow() -> Iterator[Kept]:
        begun.set()
        goes_on.wait(10)
        yield kept(1)

    with ThreadPoolExecutor(2) as threads:
        taking = threads.submit(spool.take, slow(), NOW)
        begun.wait(10)
        closing = threads.submit(spool.close)
        wait([closing], timeout=0.2)
        goes_on.set()
        assert taking.result() == {READ: 1}
        closing.result()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        spool.waiting()
