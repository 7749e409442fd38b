"""A tiny language for histories: one line, one thing that happens.

    t1 web anonymous_id:a page_viewed /pricing
    t2 app anonymous_id:a user_id:7 signed_in
    t3 unlink anonymous_id:a user_id:7
    t4 link anonymous_id:a user_id:7
    t5 erase user_id:7

`tN` is N seconds after the beginning (1,000 ms each). An event has a channel, its identifiers (the anchor first, each
`namespace:value`), then perhaps its name and a path. Its id is `e` and the time (`e2`), that of a request `r` and the time,
unless `id=…` says another. Empty lines and what follows `#` say nothing.
"""

import re
from typing import Literal

import msgspec

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


def read(text: str) -> tuple[Line, ...]:
    """The lines of a history; ValueError names the line that is none."""
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    return tuple(_line(number, words) for number, words in enumerate((words for words in lines if words), start=1))


def _line(number: int, words: list[str]) -> Line:
    if len(words) < 3 or not re.fullmatch(r"t\d+", words[0]):
        raise ValueError(f"line {number}: a time, a channel or request, and identifiers are needed, not {' '.join(words)!r}")
    time, what, *rest = words
    kind = REQUESTS.get(what, "event")
    names = tuple(word for word in rest if ":" in word)
    said = [word for word in rest if ":" not in word and not word.startswith("id=")]
    given = next((word[3:] for word in rest if word.startswith("id=")), f"{kind[0] if kind == 'event' else 'r'}{time[1:]}")
    at = int(time[1:]) * SECOND_MS
    return Line(kind, given, at, names, what, *said[:2]) if kind == "event" else Line(kind, given, at, names)
