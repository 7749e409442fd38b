"""The records of a file, one JSON object a line or one row of CSV a record, plain or .gz; never more of it in memory than a line.

A row of CSV becomes an object of its columns: a dot in a column's name leads into a nested object, an empty cell is none, and
a value stays the text that it is. A row that does not fit its head becomes a JSON array, which nobody takes for an event.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from app.replay import Outgoing, outgoing

GZIP = b"\x1f\x8b"
CELL_CHARACTERS_MAX = 1_000_000
CSV_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")

Change = Callable[[bytes], bytes]
_encode = msgspec.json.Encoder().encode


class Unfit(Exception):
    """The file is not what it is taken for; one line."""


class Reading(NamedTuple):
    """Where records go, and how: `is_named`: an event without id gets one, from its place and content."""

    topic: str
    is_named: bool = True
    encoding: str = "utf-8-sig"
    """Of CSV."""
    headers: tuple[tuple[str, bytes], ...] = ()


class Records:
    """A file as records; called, it begins anew. `part` of it (0 to 1) was read; `fault`: why it is not read on."""

    def __init__(self, file: Path, reading: Reading, change: Change = bytes) -> None:
        self.file, self.topic = file, reading.topic
        self._reading, self._change = reading, change
        self.part = 0.0
        self.fault: str | None = None

    def __call__(self) -> Iterator[Outgoing]:
        with self.file.open("rb") as raw:
            size = max(self.file.stat().st_size, 1)
            for number, record in enumerate(self._readable(raw), 1):
                self.part = raw.tell() / size
                if stripped := record.strip():
                    place = f"{self.file.name}:{number}" if self._reading.is_named else None
                    yield outgoing(self._change(stripped), place, self.topic)._replace(headers=self._reading.headers)
            self.part = 1.0

    def _readable(self, raw: BinaryIO) -> Iterator[bytes]:
        packed = raw.read(len(GZIP)) == GZIP
        raw.seek(0)
        try:
            file = gzip.GzipFile(fileobj=raw) if packed else raw
            yield from self._rows(file) if self.file.name.lower().endswith(CSV_SUFFIXES) else file
        except (EOFError, OSError, zlib.error, csv.Error, UnicodeDecodeError, Unfit) as error:
            self.fault = f"{self.file} cannot be read to its end: {error}"

    def _rows(self, file: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
        csv.field_size_limit(CELL_CHARACTERS_MAX)
        separator = "\t" if ".tsv" in self.file.name.lower() else ","
        text = io.TextIOWrapper(file, encoding=self._reading.encoding, newline="")
        try:
            rows = csv.reader(text, delimiter=separator, strict=True)
            columns = [name.strip().split(".") for name in next(rows, [])]
            _check(columns)
            for row in rows:
                if row:
                    yield _encode(_object(columns, row) if len(row) <= len(columns) else row)
        finally:
            text.detach()  # else it would close the file, whose place is asked for at the end


def _check(columns: list[list[str]]) -> None:
    """Raises `Unfit` when columns cannot stand in one object."""
    seen: set[tuple[str, ...]] = set()
    inner = {tuple(column[:depth]) for column in columns for depth in range(1, len(column))}
    for column in map(tuple, columns):
        if not all(column) or column in seen or column in inner:
            raise Unfit(f"its first line names the column {'.'.join(column)!r} twice, or not at all")
        seen.add(column)


def _object(columns: list[list[str]], row: list[str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for column, cell in zip(columns, row, strict=False):
        if cell.strip():
            into = record
            for name in column[:-1]:
                into = into.setdefault(name, {})
            into[column[-1]] = cell.strip()
    return record
