"""What a batch sees of its table, and what it leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runtime.overlay import UNSEEN, Lately, Overlay, Recent, Unreadable
from app.runtime.rows import STAMP, stamp
from tests.app.runtime.kafka_model import Disk

KEYS = st.sampled_from([b"a", b"p|", b"p|1", b"p|2", b"p|3", b"p|4", b"q"])
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.integers(0, 99)), max_size=8)


class Text:
    """Rows are text."""

    def encode(self, key: bytes, row: str) -> bytes:
        return row.encode()

    def returns(self, key: bytes) -> bool:
        return True

    def decode(self, key: bytes, body: bytes) -> str:
        return body.decode()


def stored(rows: dict[bytes, str | None]) -> Disk:
    disk = Disk()
    disk.write([(key, stamp(1) + (row or "").encode()) for key, row in rows.items()], 0)
    return disk


def test_a_row_is_read_as_it_was_changed_last() -> None:
    rows = Overlay(stored({b"k": "old"}), Text(), Recent(-1))
    assert rows.get(b"k") == "old"
    rows.put(b"k", "new")
    assert rows.get(b"k") == "new"
    rows.delete(b"k")
    assert rows.get(b"k") is None


def test_a_change_carries_the_moment_of_its_message_and_a_deletion_too() -> None:
    rows = Overlay(stored({b"gone": "x", b"same": "x"}), Text(), Recent(-1))
    rows.begin(7)
    rows.put(b"put", "1")
    rows.begin(8)
    rows.delete(b"gone")
    rows.delete(b"never there")
    rows.get(b"same")
    assert dict(rows.changes()) == {b"put": stamp(7) + b"1", b"gone": stamp(8)}


def test_stamps_compare_like_moments() -> None:
    assert stamp(-1) < stamp(0) < stamp(255) < stamp(256) < stamp(1 << 50)
    assert len(stamp(1 << 50)) == STAMP


@given(st.dictionaries(KEYS, st.none() | st.text("xy", min_size=1)), CHANGES, CHANGES)
def test_undo_takes_back_the_message_in_hand_and_nothing_else(
    before: dict[bytes, str | None], kept: list[tuple[bytes, int | None]], undone: list[tuple[bytes, int | None]]
) -> None:
    rows = Overlay(stored(before), Text(), Recent(-1))
    rows.begin(1)
    change(rows, kept)
    seen, changed = all_of(rows), dict(rows.changes())
    rows.begin(2)
    change(rows, undone)
    rows.undo()
    assert (all_of(rows), dict(rows.changes())) == (seen, changed)


@given(st.dictionaries(KEYS, st.none() | st.text("xy", min_size=1)), CHANGES, st.none() | KEYS, st.integers(1, 6))
def test_a_scan_is_that_of_a_table_that_has_the_changes(
    before: dict[bytes, str | None], changes: list[tuple[bytes, int | None]], start: bytes | None, limit: int
) -> None:
    rows = Overlay(stored(before), Text(), Recent(-1))
    change(rows, changes)
    living = {key: row for key, row in before.items() if row is not None}
    for key, number in changes:
        living.pop(key, None)
        living |= {} if number is None else {key: str(number)}
    first = max(start or b"p|", b"p|")
    wanted = [(key, living[key]) for key in sorted(living) if key.startswith(b"p|") and key >= first][:limit]
    assert rows.scan(b"p|", first, limit) == wanted


def test_what_was_replaced_is_told_with_what_it_was() -> None:
    rows = Overlay(stored({b"k": "old", b"gone": "x"}), Text(), Recent(-1))
    rows.put(b"k", "newer")
    rows.put(b"k", "newest")
    rows.delete(b"gone")
    rows.put(b"born", "1")
    assert list(rows.replaced()) == [(b"k", "old", "newest"), (b"gone", "x", None), (b"born", None, "1")]


class Broken(Disk):
    def get(self, key: bytes) -> bytes | None:
        raise OSError("no disk")


def test_a_table_that_cannot_be_read_is_no_fault_of_the_message() -> None:
    with pytest.raises(Unreadable):
        Overlay(Broken(), Text(), Recent(-1)).get(b"k")


def all_of(rows: Overlay[str]) -> list[list[tuple[bytes, str]]]:
    return [rows.scan(kind) for kind in (b"a", b"p", b"q")]


def change(rows: Overlay[str], changes: list[tuple[bytes, int | None]]) -> None:
    for key, number in changes:
        if number is None:
            rows.delete(key)
        else:
            rows.put(key, str(number))


def test_a_recent_row_is_not_read_again_while_the_offset_is_the_same() -> None:
    recent: Recent[str] = Recent(7)
    first = Overlay(stored({b"k": "old"}), Text(), recent)
    first.begin(1)
    first.put(b"k", "new")
    recent.follow(8, first.replaced())
    assert Overlay(Broken(), Text(), recent).get(b"k") == "new"


def test_of_too_many_recent_rows_those_that_were_not_met_lately_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lately, "MAX", 2)
    recent: Recent[str] = Recent(0)
    left: list[dict[bytes, str | None]] = [{b"a": "1"}, {b"b": "2", b"c": "3"}, {b"a": "1+"}, {b"d": None}]
    for rows in left:
        recent.follow(1, [(key, None, row) for key, row in rows.items()])
    assert [recent.rows.get(key, UNSEEN) for key in (b"a", b"b", b"c", b"d")] == ["1+", UNSEEN, UNSEEN, None]
