"""Since when journeys list events reaches them as messages in their inbox: handlers read no clock, a replay decides as before.

Every hour each worker tells its own partitions. The limit is rounded down to the hour, so that all partitions hear the same
one, and numbers rise with the clock; of two workers that tell one partition, as it moves, the later is heard, to no effect.
"""

from collections.abc import Iterable

import msgspec

from app.runtime.packs import Pack, Packed
from models.ids import UnifiedUserId
from models.journey.messages import RetentionDue

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SOURCE = "retention"


def limit(keep_days: int, now_ms: int) -> int:
    """Journeys list what occurred at this moment or later, in UTC milliseconds."""
    return (now_ms - keep_days * DAY_MS) // HOUR_MS * HOUR_MS


def timers(inbox: str, partitions: Iterable[int], keep_days: int, now_ms: int) -> list[Packed]:
    """A message for each of these partitions of the inbox."""
    due = RetentionDue(UnifiedUserId(""), limit(keep_days, now_ms))
    pack = msgspec.msgpack.encode(Pack(SOURCE, [(now_ms, due)]))
    return [Packed(inbox, partition, pack) for partition in partitions]
