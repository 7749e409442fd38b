"""The course of a check: cut, read the topics, wait for the workers, compare; and once more, as long as something differs.

The workers have to be as far as the cut, so it waits until no topic has more left to do than what came after it. Rows move while
they are read and topics grow meanwhile, so what differs is looked at again, and what differs each time is a difference.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import aiohttp

from app.check import limits
from app.check.held import Held, Unreadable
from app.check.judge import suspects
from app.check.ledger import RAW, Ledger
from app.check.log import Log, summed
from app.check.readers import Readers
from app.check.report import Report, Suspect, smallest
from app.check.told import Told
from app.config import Config
from app.guards import guards_of
from app.reading import rules_name
from app.runtime.topic_ids import topic_ids
from app.settings import Settings

ROUNDS = 3
PAUSE_SECONDS = 2.0
CATCH_UP_SECONDS_MAX = 120.0
Progress = Callable[[str, int, int], None]
"""What is being done, how much of it, and how much there is."""
Status = Callable[[], Any]


class Check(NamedTuple):
    """Who is asked and by which rules."""

    settings: Settings
    config: Config
    status: Status
    """The document of `/v1/status`, now."""
    progress: Progress
    cut: Mapping[tuple[str, int], int] = {}
    """How far the log counts, by topic and partition; where nothing is said, up to now."""

    async def run(self, http: aiohttp.ClientSession) -> Report:
        """The outcome. Raises Unreadable where nothing can be compared, and Kafka's errors."""
        ledger, partitions = Ledger(), self.config.topics.partitions
        held = Held(http, self._workers)
        try:
            readers = await self._readers(held, partitions)
            told = Told(self.settings, self.config, ledger, readers)
            async with Log(self.settings, self.config, told, self.cut) as log:
                await log.read(log.cut, self._report("topics"))
                self._demand_same_rules(ledger, readers)
                await self._caught_up(log)
                found = await self._lasting(ledger, log, held)
                people = ledger.one("SELECT count(*) FROM clusters WHERE state IN ('live', 'frozen')")
                events = ledger.one("SELECT coalesce(sum(events), 0) FROM headers WHERE state = 'live'")
                zone = ZoneInfo(self.config.display.time_zone)
                listed = smallest(ledger, found.values(), dict(enumerate(told.raw)), zone)
                return Report(people, events, len(found), listed, tuple(_notes(ledger, log)))
        finally:
            ledger.close()

    async def _readers(self, held: Held, partitions: int) -> Readers:
        prefix = self.settings.prefix
        topics = [f"{prefix}.{channel.topic}" for channel in self.config.channels.values()] + [f"{prefix}.behaviour.pulled"]
        ids = await topic_ids(self.settings.bootstrap, self.settings.security, dict.fromkeys(topics))
        return Readers(await held.cursors(partitions), ids, rules_name(self.config, self.settings.pii_key))

    def _demand_same_rules(self, ledger: Ledger, readers: Readers) -> None:
        if readers.others and not readers.knows_these_rules and not ledger.one("SELECT count(*) FROM told WHERE sure = 1"):
            raise Unreadable(
                "the workers read by another configuration or key; set ONETRAIL_CONFIG, ONETRAIL_DATA, ONETRAIL_PII_KEY as theirs"
            )

    async def _workers(self) -> Mapping[str, list[int]]:
        return {worker["url"]: worker["partitions"] for worker in (await self.status())["workers"]}

    async def _caught_up(self, log: Log) -> None:
        """Waits until what was in a topic when this began, and what the stages made of it, is done."""
        end = time.monotonic() + CATCH_UP_SECONDS_MAX
        for topics, begun in (([] if self.settings.shadow else log.told.raw, summed(log.cut)), ([log.inbox], await log.sums())):
            while lag := _left(await self.status(), topics, begun, await log.sums()):
                self.progress("waiting for the workers", 0, 1)
                if time.monotonic() > end:
                    behind = ", ".join(f"{topic} by {records:,}" for topic, records in lag.items())
                    raise Unreadable(f"the workers are behind ({behind}); ask again when they have caught up")
                await asyncio.sleep(PAUSE_SECONDS / 4)

    async def _lasting(self, ledger: Ledger, log: Log, held: Held) -> dict[Any, Suspect]:
        """What differs in every round."""
        differing: dict[Any, Suspect] = {}
        for number in range(ROUNDS):
            if number:
                await asyncio.sleep(PAUSE_SECONDS)
                ledger.forget_held()
            await held.read(self.config.topics.partitions, ledger, self._report("rows of the workers"))
            await log.read(await log.ends(), self._report("topics"))
            found = {one.same: one for one in await self._differing(ledger, log)}
            differing = {same: one for same, one in found.items() if not number or same in differing}
            if not differing:
                break
        return differing

    async def _differing(self, ledger: Ledger, log: Log) -> list[Suspect]:
        found = suspects(ledger, log.told.since, guards_of(self.config), self._report("comparing"))
        return await limits.loosened(found, ledger, self.settings)

    def _report(self, what: str) -> Callable[[int, int], None]:
        return lambda done, wanted: self.progress(what, done, wanted)


def _left(status: Mapping[str, Any], topics: Sequence[str], begun: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Records of topics that were there when it was begun and are still to be done, as far as sums can tell."""
    lag: Mapping[str, int] = status["lag"]
    left = {topic: lag[topic] - (now[topic] - begun[topic]) for topic in topics}
    return {} if status["settled"] else {topic: records for topic, records in left.items() if records > 0}


def _notes(ledger: Ledger, log: Log) -> Iterator[str]:
    """What could not be compared."""
    if log.removed:
        alone = ledger.one("SELECT count(*) FROM entries WHERE received <= :raw", {"raw": log.told.since[RAW]})
        yield f"retention removed {log.removed:,} records of behaviour; {alone:,} events from then have none to be compared with"
    if others := ledger.one("SELECT count(*) FROM told WHERE sure = 2"):
        yield f"{others:,} records were read by an earlier configuration; of them it is only known that none is lost"
    if later := ledger.one("SELECT count(*) FROM told WHERE sure = 0"):
        yield f"{later:,} records came while the check ran; the next one judges them"
