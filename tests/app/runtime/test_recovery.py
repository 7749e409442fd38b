"""Recovery in numbers: what is left of what there was, from Faust's own."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from faust.tables.manager import TableManager
from faust.types import TP

from app.runtime.recovery import Progress, Recovery

FIRST, SECOND = TP("changelog", 0), TP("changelog", 1)


class Tables(TableManager):
    """Tables whose recovery stands where it is put."""

    at: Any

    def __init__(self) -> None:
        """Without an app."""

    @property
    def recovery(self) -> Any:
        """Faust's service, as far as it is looked at."""
        return self.at


class Standing:
    """Offsets of a recovery under way."""

    def __init__(self, ends: dict[TP, int], reached: Mapping[TP, int | None]) -> None:
        self.active_highwaters, self.active_offsets = Counter(ends), Counter(reached)


class Worker:
    """An app that recovers, or not."""

    def __init__(self) -> None:
        self.tables, self.in_recovery = Tables(), True

    def stands(self, ends: dict[TP, int], reached: Mapping[TP, int | None]) -> None:
        self.tables.at = Standing(ends, reached)


def test_progress_is_told_in_words() -> None:
    assert str(Progress(left=250, total=1_000)) == "75% of 1,000 changelog records read"
    assert Progress(0, 0).part == 0.0


def test_what_is_left_is_seen_against_what_there_was() -> None:
    worker = Worker()
    recovery = Recovery(cast(Any, worker))
    worker.stands({}, {})
    assert recovery.progress() is None, "nothing is known yet"
    worker.stands({FIRST: 99, SECOND: 899}, {FIRST: -1, SECOND: -1})
    assert recovery.progress() == Progress(1_000, 1_000)
    worker.stands({FIRST: 99, SECOND: 899}, {FIRST: 99, SECOND: 649})
    assert recovery.progress() == Progress(250, 1_000)
    worker.in_recovery = False
    assert recovery.progress() is None
    worker.in_recovery = True
    worker.stands({FIRST: 9}, {FIRST: -1})
    assert recovery.progress() == Progress(10, 10), "another recovery begins anew"


def test_a_partition_whose_rows_have_not_been_looked_at_yet_does_not_count() -> None:
    worker = Worker()
    worker.stands({FIRST: 99, SECOND: 899}, {FIRST: None, SECOND: 649})
    assert Recovery(cast(Any, worker)).progress() == Progress(250, 250)
