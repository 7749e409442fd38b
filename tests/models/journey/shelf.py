"""The rows of a partition in memory, and what they say of a journey; counts how many rows each message touches."""

from bisect import bisect_left, insort

from models.event import Event
from models.ids import UnifiedUserId
from models.journey import handle
from models.journey.messages import JourneyMessage
from models.journey.outcome import Outcome
from models.journey.rows import Entry, Header, Row, header_key, timeline
from models.journey.summary import EMPTY, Summary, fold
from tests.models.journey.making import decode


class Shelf:
    """A partition's rows, ordered by key."""

    def __init__(self) -> None:
        self.rows: dict[bytes, Row] = {}
        self.touched = 0
        self._keys: list[bytes] = []

    def get(self, key: bytes) -> Row | None:
        self.touched += 1
        return self.rows.get(key)

    def put(self, key: bytes, row: Row) -> None:
        self.touched += 1
        if key not in self.rows:
            insort(self._keys, key)
        self.rows[key] = row

    def delete(self, key: bytes) -> None:
        self.touched += 1
        if self.rows.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def scan(self, prefix: bytes, start: bytes | None = None, limit: int = 1000) -> list[tuple[bytes, Row]]:
        first = bisect_left(self._keys, start or prefix)
        found = [(key, self.rows[key]) for key in self._keys[first : first + limit] if key.startswith(prefix)]
        self.touched += len(found)
        return found

    def header(self, uid: str) -> Header | None:
        """The header of a journey."""
        row = self.rows.get(header_key(UnifiedUserId(uid)))
        assert row is None or isinstance(row, Header)
        return row

    def entries(self, uid: str) -> list[tuple[bytes, Entry]]:
        """The entries of a journey in their order."""
        prefix = timeline(UnifiedUserId(uid))
        first = bisect_left(self._keys, prefix)
        found: list[tuple[bytes, Entry]] = []
        for key in self._keys[first : bisect_left(self._keys, prefix + b"\xff")]:
            row = self.rows[key]
            assert isinstance(row, Entry)
            found.append((key, row))
        return found

    def events(self, uid: str) -> list[Event]:
        """The events of a journey in their order."""
        return [decode(entry.body) for _, entry in self.entries(uid)]

    def told(self, *messages: JourneyMessage) -> list[Outcome]:
        """Handles messages and, until it is quiet, what journeys tell one another because of them."""
        outcomes: list[Outcome] = []
        waiting = list(messages)
        while waiting:
            outcomes.append(handle(waiting.pop(0), self))
            waiting += outcomes[-1].messages
        return outcomes


def folded(events: list[Event]) -> Summary:
    """What follows from all events together, folded once, in order."""
    summary = EMPTY
    for event in events:
        summary = fold(summary, event)
    return summary
