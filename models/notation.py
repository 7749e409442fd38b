"""A tiny language for histories: one line, one thing that happens.

    t1 web anonymous_id:a page_viewed /pricing
    t2 app anonymous_id:a user_id:7 signed_in
    t3 unlink anonymous_id:a user_id:7
    t4 link anonymous_id:a user_id:7
    t5 erase user_id:7

`tN` is N seconds after the beginning (1,000 ms each). An event has a channel, its identifiers (the anchor first, each
`namespace:value`), then perhaps its name and a path. Its id is `e` and the time (`e2`), that of a request `r` and the time,
unless `id=…` says another. `at=…` is the time as the sender writes it (RFC 3339), instead of `tN`. A value with spaces stands
in quotes. Empty lines and what follows `#` say nothing.
"""

import re
import shlex
from datetime import UTC
from typing import Literal

import msgspec

from models.times import instant

SECOND_MS = 1000
Kind = Literal["event", "link", "unlink", "erase"]
REQUESTS: dict[str, Kind] = {"link": "link", "unlink": "unlink", "erase": "erase"}


class Line(msgspec.Struct, frozen=True):
    """One thing that happens at `at` (milliseconds)."""

    kind: Kind
    id: str
    at: int
    names: tuple[str, ...]
    channel: str = ""
    event: str = "seen"
    path: str = ""
    written: str = ""
    """The time as the sender writes it; empty = `at` counts from the beginning."""


def read(text: str) -> tuple[Line, ...]:
    """The lines of a history; ValueError names the line that is none."""
    lines = [words(line) for line in text.splitlines()]
    return tuple(_line(number, said) for number, said in enumerate((said for said in lines if said), start=1))


def words(line: str) -> list[str]:
    """The words of a line; ValueError for a quotation that does not end."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        raise ValueError(f"a quotation or a \\ does not end: {line}") from None


def _line(number: int, words: list[str]) -> Line:
    if len(words) < 3 or not re.fullmatch(r"t\d+", words[0]):
        raise ValueError(f"line {number}: a time, a channel or request, and identifiers are needed, not {' '.join(words)!r}")
    time, what, *rest = words
    kind = REQUESTS.get(what, "event")
    names = tuple(word for word in rest if ":" in word and not word.startswith("at="))
    given = _option(rest, "id=") or f"{kind[0] if kind == 'event' else 'r'}{time[1:]}"
    written = _option(rest, "at=")
    at = instant(written, UTC) if written else int(time[1:]) * SECOND_MS
    if at is None:
        raise ValueError(f"line {number}: {written} is no time")
    if kind != "event":
        return Line(kind, given, at, names, written=written)
    event, path, *_ = [*(word for word in rest if ":" not in word and not word.startswith(("id=", "at="))), "", ""]
    return Line(kind, given, at, names, what, event or "seen", path, written)


def _option(rest: list[str], name: str) -> str:
    return next((word.removeprefix(name) for word in rest if word.startswith(name)), "")
