"""behaviour.rejected, read from outside: what is in it, and what of it was sent through again.

Retried records are remembered by their places, in a file of the data directory for the very topic (by its id); a place is
written down once Kafka has acknowledged the retry, so a crash between the two retries at most that chunk twice.
"""

import fcntl
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from app.past import records_of
from app.runtime.topic_ids import topic_ids
from app.settings import Settings
from models.times import instant


class Place(NamedTuple):
    """Where a record lies in behaviour.rejected."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A record of behaviour.rejected; `at_ms` is Kafka's time, for records are told apart by it when their own is missing."""

    place: Place
    at_ms: int
    headers: Mapping[str, str]
    raw: bytes | None

    @property
    def came_at_ms(self) -> int:
        """When it came the first time."""
        at = instant(self.headers.get("at", ""), UTC)
        return self.at_ms if at is None else at

    def document(self) -> dict[str, object]:
        """As `onetrail rejected --json` shows it; bytes that are no UTF-8 are escaped."""
        raw = None if self.raw is None else self.raw.decode("utf-8", "backslashreplace")
        texts = {name: self.headers.get(name, "") for name in ("reason", "rule", "source_topic")}
        numbers = {name: _number(self.headers.get(name, "")) for name in ("source_partition", "source_offset")}
        return {**texts, **numbers, "at": self.headers.get("at", ""), "raw": raw}


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def topic_of(settings: Settings) -> str:
    """Its full name."""
    return f"{settings.prefix}.behaviour.rejected"


async def refused(settings: Settings, since_ms: int | None = None) -> AsyncIterator[Refused]:
    """All records up to the present end, those of each partition in order; `since_ms`: appended at or after it.

    Raises LookupError when there is no such topic, aiokafka's errors when there is no broker.
    """
    async for record in records_of(settings, topic_of(settings), since_ms):
        headers = {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
        yield Refused(Place(record.partition, record.offset), record.timestamp, headers, record.value)


class Retried:
    """The places whose records were sent through again. A context manager: one process retries at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+")
        self._places: set[Place] = set()

    @classmethod
    async def of(cls, settings: Settings) -> Self:
        """Of the topic as it is now; made anew, it has another id and nothing was retried."""
        (topic_id,) = (await topic_ids(settings.bootstrap, settings.security, [topic_of(settings)])).values()
        return cls(settings.data / "retried" / f"{topic_id}.txt")

    def __enter__(self) -> Self:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._file.seek(0)
        whole = self._file.read().rpartition("\n")[0]
        self._file.truncate(len(whole) + 1 if whole else 0)  # a line that a crash tore is as good as none
        self._places = {Place(*map(int, line.split())) for line in whole.splitlines()}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def __contains__(self, place: Place) -> bool:
        return place in self._places

    def add(self, places: Iterable[Place]) -> None:
        """These too, from now on."""
        new = list(places)
        self._places.update(new)
        self._file.write("".join(f"{place.partition} {place.offset}\n" for place in new))
        self._file.flush()
