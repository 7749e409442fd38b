"""What a check found, in words: the smallest witnesses first, identifiers by name and times as people write them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import tzinfo
from typing import Any, NamedTuple

from app.check.ledger import Ledger
from models.display import rfc3339

DIFFERENCES_MAX = 20
_KEY = re.compile(r"[\w.-]+:[\w-]{22}(?![\w-])")
_TIME = re.compile(r"\b(\d{10,15}) ms\b")


class Suspect(NamedTuple):
    """An answer of a rule. `identifier` is a key; `uid` somebody whom it concerns."""

    rule: str
    identifier: str | None
    event_id: str | None
    expected: str
    found: str
    uid: str | None

    @property
    def same(self) -> tuple[str, str | None, str]:
        """What makes it the same suspect when all is read anew, though people may have merged meanwhile."""
        return self.rule, self.identifier, self.event_id or self.expected


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be."""

    identifier: str | None
    event_id: str | None
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome: `found` counts all differences, of which the smallest are listed; `notes` say what was not compared."""

    people: int
    events: int
    found: int
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether nothing differs."""
        return self.found == 0

    def document(self) -> dict[str, Any]:
        """As `onetrail check --json` shows it."""
        listed = [asdict(difference) for difference in self.differences]
        return {"right": self.right, "people": self.people, "events": self.events, "differences": listed}


def smallest(ledger: Ledger, suspects: Iterable[Suspect], topics: Mapping[int, str], zone: tzinfo) -> tuple[Difference, ...]:
    """The first differences in order of the size of whom they concern, then of the rules; in words."""
    ordered = sorted(suspects, key=lambda one: _size(ledger, one.uid))
    return tuple(_difference(ledger, one, topics, zone) for one in ordered[:DIFFERENCES_MAX])


def _size(ledger: Ledger, uid: str | None) -> int:
    """Identifiers and events of a person."""
    if uid is None:
        return 0
    of = "SELECT (SELECT count(*) FROM members WHERE uid = :uid) + (SELECT count(*) FROM entries WHERE uid = :uid)"
    return int(ledger.one(of, {"uid": uid}))


def _difference(ledger: Ledger, one: Suspect, topics: Mapping[int, str], zone: tzinfo) -> Difference:
    def words(text: str) -> str:
        named = _KEY.sub(lambda key: _name(ledger, key[0]), text)
        return _TIME.sub(lambda at: rfc3339(int(at[1]), zone), named)

    event_id = one.event_id
    place = re.fullmatch(r"(\d+)(/\d+@\d+)", event_id or "") if one.identifier is None else None
    if place is not None:
        event_id = f"{topics[int(place[1])]}{place[2]}"
    identifier = None if one.identifier is None else _name(ledger, one.identifier)
    return Difference(identifier, event_id, words(one.expected), words(one.found))


def _name(ledger: Ledger, key: str) -> str:
    """`namespace:value` where the topics or the workers tell it."""
    for query in ("SELECT name FROM names WHERE key = :key", "SELECT name FROM members WHERE key = :key"):
        for (name,) in ledger.ask(query, {"key": key}):
            return str(name)
    return key


def lines(report: Report) -> Iterator[str]:
    """The outcome for a person to read."""
    if report.right:
        yield f"right: {report.people:,} people and {report.events:,} events are as the topics tell"
    else:
        yield f"{report.found:,} differences among {report.people:,} people and {report.events:,} events; the smallest:"
    for one in report.differences:
        whose = " of ".join(part for part in (one.event_id, one.identifier) if part) or "-"
        yield f"  {whose}: expected {one.expected}; found {one.found}"
