"""By which rules the records of behaviour topics were read: the cursors of the workers remember it.

A source of messages is named by topic id, partition and the rules that its records were read by (`app.reading.rules_name`);
the number of its last message holds the last offset. So the cursors tell up to which offset other rules were at work.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from app.runtime.packs import offset_of


class Readers:
    """What today's rules have read, and up to where others have. `ids` are the ids of the behaviour topics by name."""

    def __init__(self, cursors: Iterable[tuple[str, int]], ids: Mapping[str, str], rules: str) -> None:
        names = {topic_id: topic for topic, topic_id in ids.items()}
        self._until: dict[tuple[str, int], int] = {}
        self.knows_these_rules = False
        for source, number in cursors:
            topic_id, _, rest = source.partition("/")
            partition, _, read_by = rest.partition("/")
            if read_by == rules:
                self.knows_these_rules = True
            elif read_by and read_by != "requests" and topic_id in names:
                place = (names[topic_id], int(partition))
                self._until[place] = max(self._until.get(place, -1), offset_of(number))

    def read_otherwise(self, record: Any) -> bool:
        """Whether other rules may have read this record."""
        return int(record.offset) <= self._until.get((record.topic, record.partition), -1)

    @property
    def others(self) -> bool:
        """Whether other rules were at work on topics that still are."""
        return bool(self._until)
