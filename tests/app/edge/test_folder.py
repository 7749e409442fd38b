"""Files that are dropped into a directory: each line is read once, whenever the edge dies, and no file is touched too early."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge import folder
from app.edge.folder import LINE_BYTES_MAX, Folder
from app.edge.sieve import Kept
from app.edge.spool import Spool
from tests.app.edge.conftest import NOW


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    place = tmp_path / "drop"
    place.mkdir()
    return place


def write(drop: Path, name: str, content: bytes, *, left_alone: bool = True) -> Path:
    path = drop / name
    path.write_bytes(content)
    if left_alone:
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def read_all(drop: Path, spool: Spool, count: int = 1_000) -> list[bytes]:
    """What a run of the edge takes in; with a `count` it dies after so many pieces."""
    found: list[bytes] = []
    for piece in Folder(drop, spool, once=True).reads():
        spool.take([Kept(line, line) for line in piece.lines], NOW, piece.place)
        found += piece.lines
        count -= 1
        if count == 0:
            break
    return found


def test_files_are_read_in_the_order_of_their_names_and_put_away(drop: Path, spool: Spool) -> None:
    write(drop, "2.jsonl", b"c\nd")
    write(drop, "1.jsonl.gz", gzip.compress(b"a\nb\n"))
    assert read_all(drop, spool) == [b"a", b"b", b"c", b"d"]
    assert sorted(path.name for path in (drop / "done").iterdir()) == ["1.jsonl.gz", "2.jsonl"]
    assert read_all(drop, spool) == []


def test_what_is_still_being_written_waits(drop: Path, spool: Spool) -> None:
    write(drop, "a.jsonl", b"1\n2", left_alone=False)
    write(drop, "b.jsonl.gz", gzip.compress(b"x\n"), left_alone=False)
    for name in (".hidden.jsonl", "c.jsonl.tmp", "readme.txt"):
        write(drop, name, b"x\n")
    assert read_all(drop, spool) == [b"1"]
    write(drop, "a.jsonl", b"1\n23\n", left_alone=False)
    assert read_all(drop, spool) == [b"23"]
    assert (drop / "a.jsonl").exists()


def test_a_file_of_the_same_name_is_another_file(drop: Path, spool: Spool) -> None:
    for _ in range(2):
        write(drop, "a.jsonl", b"1\n2\n")
        assert read_all(drop, spool) == [b"1", b"2"]
    assert sorted(path.name for path in (drop / "done").iterdir()) == ["a.jsonl", "a.jsonl.2"]


def test_a_broken_file_is_read_as_far_as_it_goes_and_named(drop: Path, spool: Spool) -> None:
    whole = gzip.compress(os.urandom(3_000_000).hex().encode() + b"\n")
    write(drop, "a.jsonl.gz", gzip.compress(b"1\n") + whole[: len(whole) // 2])
    source = Folder(drop, spool, once=True)
    first, *_ = [line for piece in source.reads() for line in piece.lines]
    assert first == b"1"
    assert "a.jsonl.gz cannot be read to its end" in source.faults[0]
    assert (drop / "failed" / "a.jsonl.gz").exists()


def test_a_line_without_end_takes_no_memory_without_end(drop: Path, spool: Spool) -> None:
    write(drop, "a.jsonl", b"x" * (3 * LINE_BYTES_MAX) + b"\n2\n")
    long, short = read_all(drop, spool)
    assert (len(long), short) == (LINE_BYTES_MAX, b"2")


@given(lines=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=30), dies=st.integers(1, 5))
def test_an_edge_that_dies_again_and_again_reads_every_line_once(
    lines: list[bytes], dies: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("law")
    (place / "drop").mkdir()
    write(place / "drop", "a.jsonl", b"".join(line + b"\n" for line in lines))
    spool = Spool(place / "s")
    found: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "CHUNK_BYTES", 16)
        while (place / "drop" / "a.jsonl").exists():
            found += read_all(place / "drop", spool, dies)
    spool.close()
    assert found == lines
