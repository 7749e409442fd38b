"""Lines from files that somebody drops into a directory, or from standard input.

A file is read by name, in order, up to its last whole line, and again when it has grown; once it has been left alone for a
moment its last line counts too, and it is moved to `done/`. How far it is read lies in the spool. Names that begin with a
dot, or end in .tmp or .part, are still being written; packed files are read when they are left alone.
"""

import gzip
import os
import select
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from app.clock import now_ms
from app.edge.spool import Place, Spool

LINES_SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")
UNFINISHED = (".tmp", ".part")
CHUNK_BYTES = 262_144
LINE_BYTES_MAX = 1_048_576
"""A longer line is no event; it is judged by its beginning."""
LEFT_ALONE_MS = 1_000
STDIN_SECONDS = 0.5
"""So long a read of standard input waits, before it is looked whether to go on."""


class Read(NamedTuple):
    """Some lines, and where the next one begins; None = nowhere, it is a pipe."""

    lines: list[bytes]
    place: Place | None


class Folder:
    """The files of a directory. `faults` are those that could not be read; `ended`: all are read, and it is for `once`."""

    def __init__(self, directory: Path, spool: Spool, *, once: bool) -> None:
        self._directory, self._spool, self._once = directory, spool, once
        self.faults: list[str] = []
        self.ended = False

    def reads(self) -> Iterator[Read]:
        """What is there to be read now; the caller takes one before he asks for the next."""
        names = sorted(path.name for path in self._directory.iterdir() if _is_wanted(path))
        self.ended = self._once and not names
        self._spool.forget_files(names)
        for name in names:
            yield from self._file(self._directory / name)

    def _file(self, path: Path) -> Iterator[Read]:
        state = path.stat()
        left_alone = now_ms() - state.st_mtime * 1_000 >= LEFT_ALONE_MS
        identity = f"{state.st_dev}-{state.st_ino}"
        if path.suffix == ".gz" and not left_alone:
            return
        goal = "done"
        try:
            with path.open("rb") as raw:
                file = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
                file.seek(self._spool.offset(path.name, identity))
                yield from _lines(file, path.name, identity, to_the_last=left_alone)
        except (EOFError, OSError, zlib.error) as error:
            self.faults.append(f"{path} cannot be read to its end: {error}; it goes to failed/")
            goal = "failed"
        if left_alone and path.stat().st_mtime_ns == state.st_mtime_ns:
            self._put_away(path, goal)

    def _put_away(self, path: Path, goal: str) -> None:
        """Out of the way, under a name of its own."""
        place = self._directory / goal
        place.mkdir(exist_ok=True)
        target = place / path.name
        number = 1
        while target.exists():
            number += 1
            target = place / f"{path.name}.{number}"
        path.rename(target)


def _lines(file: BinaryIO | gzip.GzipFile, name: str, identity: str, *, to_the_last: bool) -> Iterator[Read]:
    """The whole lines of a file from where it stands; also the last one, whole or not, where nobody writes any more."""
    offset, rest, length = file.tell(), b"", 0
    while chunk := file.read(CHUNK_BYTES):
        *whole, tail = chunk.split(b"\n")
        if whole:
            offset += length + sum(len(line) + 1 for line in whole)
            yield Read([(rest + whole[0])[:LINE_BYTES_MAX], *whole[1:]], Place(name, identity, offset))
            rest, length = b"", 0
        rest, length = (rest + tail)[:LINE_BYTES_MAX], length + len(tail)
    if rest and to_the_last:
        yield Read([rest], Place(name, identity, offset + length))


def _is_wanted(path: Path) -> bool:
    name = path.name
    return path.is_file() and not name.startswith(".") and not name.endswith(UNFINISHED) and name.endswith(LINES_SUFFIXES)


class Pipe:
    """The lines of standard input, as they come; `ended` when there will be no more."""

    faults: Sequence[str] = ()

    def __init__(self) -> None:
        self._number = sys.stdin.fileno()
        self._rest = b""
        self.ended = False

    def reads(self) -> Iterator[Read]:
        """What came within a moment, at most one piece of it."""
        if self.ended or not select.select([self._number], [], [], STDIN_SECONDS)[0]:
            return
        chunk = os.read(self._number, CHUNK_BYTES)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if not chunk:
            self.ended, lines, self._rest = True, [self._rest] if self._rest else [], b""
        if len(self._rest) > LINE_BYTES_MAX:
            self._rest = self._rest[:LINE_BYTES_MAX]
        if lines:
            yield Read(lines, None)
