"""The rows of a partition in memory, and what they say of a journey; counts how many rows each message touches."""

from bisect import bisect_left, insort
from collections import defaultdict
from itertools import chain, islice
from typing import Any

from models.event import Event
from models.ids import UnifiedUserId
from models.journey import handle
from models.journey.messages import JourneyMessage
from models.journey.outcome import Outcome
from models.journey.rows import CLICKS, TIMELINES, Entry, Header, Row, header_key, timeline
from models.journey.summary import EMPTY, Summary, fold
from tests.models.journey.making import decode


class Found(dict[str, Any]):
    """What was found out from rows."""

    put = dict.__setitem__

    def drop(self, key: str) -> None:
        self.pop(key, None)


class Shelf:
    """A partition's rows; entries are ordered by key."""

    def __init__(self) -> None:
        self.rows: dict[bytes, Row] = {}
        self.found = Found()
        self.touched = 0
        self._scanned: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self._known: set[bytes] = set()

    def get(self, key: bytes) -> Row | None:
        self.touched += 1
        return self.rows.get(key)

    def put(self, key: bytes, row: Row) -> None:
        self.touched += 1
        self.rows[key] = row
        if key.startswith((TIMELINES, CLICKS)) and key not in self._known:
            self._known.add(key)
            insort(self._scanned[_scanned_of(key)], key)

    def delete(self, key: bytes) -> None:
        """Its key stays in the order, as a tombstone does."""
        self.touched += 1
        self.rows.pop(key, None)

    def scan(self, prefix: bytes, start: bytes | None = None, limit: int = 1000) -> list[tuple[bytes, Row]]:
        keys = self._all_entries() if prefix == TIMELINES else self._scanned[prefix]
        following = (keys[n] for n in range(bisect_left(keys, start or prefix), len(keys)))
        found = [(key, self.rows[key]) for key in islice((key for key in following if key in self.rows), limit)]
        self.touched += len(found)
        return found

    def _all_entries(self) -> list[bytes]:
        return sorted(chain(*(keys for prefix, keys in self._scanned.items() if prefix.startswith(TIMELINES))))

    def header(self, uid: str) -> Header | None:
        """The header of a journey."""
        row = self.rows.get(header_key(UnifiedUserId(uid)))
        assert row is None or isinstance(row, Header)
        return row

    def known(self, uid: str) -> Header:
        """The header of a journey that there must be."""
        header = self.header(uid)
        assert header is not None
        return header

    def entries(self, uid: str) -> list[tuple[bytes, Entry]]:
        """The entries of a journey in their order."""
        found: list[tuple[bytes, Entry]] = []
        for key in self._scanned[timeline(UnifiedUserId(uid))]:
            row = self.rows.get(key)
            if isinstance(row, Entry):
                found.append((key, row))
        return found

    def held(self, uid: str) -> list[Event]:
        """All that a journey holds in its order, clicks that only repeat others too."""
        return [decode(entry.body) for _, entry in self.entries(uid)]

    def events(self, uid: str) -> list[Event]:
        """The events of a journey in their order."""
        return [decode(entry.body) for _, entry in self.entries(uid) if not entry.is_repeat]

    def ids(self, uid: str) -> list[str]:
        """Of the events of a journey in their order."""
        return [event.event_id for event in self.events(uid)]

    def repeats(self, uid: str) -> dict[str, int]:
        """The clicks of a journey that are repeated, and how often."""
        return {decode(entry.body).event_id: entry.repeats for _, entry in self.entries(uid) if entry.repeats > 0}

    def told(self, *messages: JourneyMessage) -> list[Outcome]:
        """Handles messages and, until it is quiet, what journeys tell one another because of them."""
        outcomes: list[Outcome] = []
        waiting = list(messages)
        while waiting:
            outcomes.append(handle(waiting.pop(0), self))
            waiting += outcomes[-1].messages
        return outcomes


def _scanned_of(key: bytes) -> bytes:
    parts = 2 if key.startswith(TIMELINES) else 3
    return b"|".join(key.split(b"|", parts)[:parts]) + b"|"


def folded(events: list[Event]) -> Summary:
    """What follows from all events together, folded once, in order."""
    summary = EMPTY
    for event in events:
        summary = fold(summary, event)
    return summary
