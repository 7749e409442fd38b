"""Files as records: lines, rows, packed or not, a line at a time."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.files import Reading, Records


def rows(path: Path, content: str | bytes, encoding: str = "utf-8-sig") -> tuple[list[Any], str | None]:
    """The records of a file, decoded, and why it could not be read on."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    records = Records(path, Reading("topic", is_named=False, encoding=encoding))
    return [json.loads(record.value) for record in records()], records.fault


def test_a_row_is_an_object_of_its_columns(tmp_path: Path) -> None:
    content = 'event,identifiers.phone,properties.amount,properties.text\nseen,138,0012.50,"a, ""b""\nc"\nleft,139,,\n'
    assert rows(tmp_path / "a.csv", content) == (
        [
            {"event": "seen", "identifiers": {"phone": "138"}, "properties": {"amount": "0012.50", "text": 'a, "b"\nc'}},
            {"event": "left", "identifiers": {"phone": "139"}},
        ],
        None,
    )


def test_tabs_packed_files_and_other_encodings_are_read(tmp_path: Path) -> None:
    text = "event\tidentifiers.user_id\n加购\t42\n"
    wanted = [{"event": "加购", "identifiers": {"user_id": "42"}}]
    assert rows(tmp_path / "a.tsv.gz", gzip.compress(text.encode("utf-8-sig")))[0] == wanted
    assert rows(tmp_path / "b.tsv", text.encode("gb18030"), "gb18030")[0] == wanted


def test_a_row_that_does_not_fit_is_no_object(tmp_path: Path) -> None:
    assert rows(tmp_path / "a.csv", "a,b\n1,2,3\n4\n\n")[0] == [["1", "2", "3"], {"a": "4"}]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a,a\n1,2\n", "names the column 'a' twice"),
        (b"a,a.b\n1,2\n", "names the column 'a' twice"),
        (b"a,,c\n1,2,3\n", "or not at all"),
        (b'a\n"torn', "unexpected end of data"),
        (b"a\n\xff\n", "codec can't decode"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes, fault: str) -> None:
    found, said = rows(tmp_path / "a.csv", content)
    assert (found, fault in str(said)) == ([], True)


def test_records_are_named_by_place_and_content_and_changed_before(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a": 1}\n')
    records = Records(tmp_path / "a.jsonl", Reading("topic"), lambda raw: raw.replace(b"a", b"b"))
    first, second = [json.loads(record.value) for record in records()]
    assert first["event_id"] != second["event_id"]
    assert [json.loads(record.value) for record in records()] == [first, second]
    assert first["b"] == 1


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz"])
def test_a_large_file_takes_the_memory_of_a_line(tmp_path: Path, name: str) -> None:
    """30 MB of records, packed; the law of it is that they come one by one."""
    line = "x" * 90 + "\n"
    (tmp_path / name).write_bytes(gzip.compress(line.encode() * 300_000, 1))
    records = iter(Records(tmp_path / name, Reading("topic"))())
    tracemalloc.start()
    count = sum(1 for _ in zip(records, range(60_000), strict=False))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, peak < 1_000_000) == (60_000, True)


@given(st.binary(max_size=200))
def test_any_bytes_are_records_or_a_fault(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    for name in ("a.csv", "a.jsonl", "a.csv.gz"):
        path = tmp_path_factory.mktemp("any") / name
        path.write_bytes(content)
        records = Records(path, Reading("topic"))
        assert all(record.fit in (True, False) for record in records())
