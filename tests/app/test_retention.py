"""The timers of retention: what a partition hears, and when it is the same."""

import msgspec

from app.retention import DAY_MS, HOUR_MS, SOURCE, limit, timers
from app.runtime.packs import Pack
from models.ids import UnifiedUserId
from models.journey import JourneyMessage
from models.journey.messages import RetentionDue

NOW = 1_780_000_000_123


def test_all_workers_say_the_same_limit_within_an_hour() -> None:
    hour = NOW // HOUR_MS * HOUR_MS
    assert {limit(30, hour), limit(30, hour + HOUR_MS - 1)} == {hour - 30 * DAY_MS}
    assert limit(30, hour + HOUR_MS) > limit(30, hour)


def test_each_partition_hears_it_from_its_own_source_under_a_rising_number() -> None:
    sent = timers("inbox", [1, 4], 30, NOW)
    assert [(one.topic, one.partition) for one in sent] == [("inbox", 1), ("inbox", 4)]
    for one in sent:
        pack = msgspec.msgpack.decode(one.value, type=Pack[JourneyMessage])
        assert pack == Pack(SOURCE, [(NOW, RetentionDue(UnifiedUserId(""), limit(30, NOW)))])
