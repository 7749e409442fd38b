"""One run: a site, people, a load, and faults one after the other (or two at once) until the time is over; then the verdict."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from tests.fire.burning import Fire
from tests.fire.faults import FAULTS
from tests.fire.load import Load
from tests.fire.log_faults import CHANGELOG
from tests.fire.people import Cast
from tests.fire.probe import Prober
from tests.fire.site import PREFIX, Site
from tests.fire.verdict import KINDS, Difference, compare

WORKERS, WORKERS_MAX = 2, 3
RATE = 80
TWO_AT_ONCE = 0.25
LOOK_SECONDS = 0.5
SHORT = (
    "poison",
    "operators",
    "lose disk",
    "sleep past session",
    "kill collector",
    "kill broker",
    "stale writer",
    "retention passes",
)
"""Of all faults those that found most, in two minutes."""
ONCE = {"compaction"}
"""Faults that leave the site changed for good."""


@dataclass
class Report:
    """What came of a run."""

    seed: int
    acknowledged: int = 0
    survived: Counter[str] = field(default_factory=Counter)
    stalled_seconds: float = 0.0
    gap_seconds: float = 0.0
    answers: int = 0
    refusals: int = 0
    ended: Counter[tuple[str, int]] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The figure line."""
        kinds = Counter(one.kind for one in self.differences)
        counts = " / ".join(f"{kinds[kind]} {kind}" for kind in KINDS)
        return (
            f"seed {self.seed}: {self.acknowledged} events acknowledged / {counts}; {self.survived.total()} faults survived; "
            f"longest time without progress {self.stalled_seconds:.1f} s; {self.answers} answers checked, "
            f"longest 503 about one person {self.gap_seconds:.1f} s"
        )


class Progress:
    """How long the changelogs did not grow although there was something to do: the longest time, in seconds."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self._bootstrap = bootstrap
        self._tps = [TopicPartition(CHANGELOG, number) for number in range(partitions)]
        self.longest = 0.0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Looks until the block is left."""
        async with AIOKafkaConsumer(bootstrap_servers=self._bootstrap) as consumer:
            task = asyncio.create_task(self._watch(consumer))
            yield
            task.cancel()

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        rows, since = -1, time.monotonic()
        while True:
            try:
                found = sum((await consumer.end_offsets(self._tps)).values())
            except KafkaError:
                found = rows
            if found > rows:
                rows, since = found, time.monotonic()
            self.longest = max(self.longest, time.monotonic() - since)
            await asyncio.sleep(LOOK_SECONDS)


async def run(root: Path, seed: int, plan: float | Sequence[str], say: Callable[[str], None], rule: str = "") -> Report:
    """`plan`: for how many seconds, or which faults, each once. `rule` = a rule of the runtime to take away."""
    report, cast = Report(seed), Cast(seed)
    say(f"seed {seed}")
    async with Site.run(root, ONETRAIL_FIRE_BREAK=rule) as site:
        for _ in range(WORKERS):
            site.add()
        await site.ready()
        load = Load(site.broker.bootstrap, PREFIX, site.collector.url, cast, RATE)
        fire = Fire(site, load, cast.told, random.Random(seed), say)
        progress = Progress(site.broker.bootstrap, site.partitions)
        prober = Prober(site.system, cast.residents, lambda: [one for one in site.wanted if one.name not in site.hands_off])
        async with load.connected():
            await load.write(cast.founding())
            await site.system.settled()
            say(f"{load.acknowledged} events before the fire; disks are {'of their own' if site.mounted else 'shared'}")
            async with prober.running(), progress.watched(), load.running():
                await _burn(fire, _plan(fire.chance, plan), report)
            await site.ready()
            report.acknowledged, report.stalled_seconds = load.acknowledged, progress.longest
            say(f"the fire is out after {report.survived.total()} faults; {load.acknowledged} events were acknowledged")
            report.differences = await compare(site.system, cast.told, site.wanted, load.poison)
        report.differences += [Difference("misplaced", 0, wrong) for wrong in prober.wrong]
        report.gap_seconds, report.answers, report.refusals = prober.gap, prober.right, prober.refused
        report.ended = site.exits
    return report


def _plan(chance: random.Random, plan: float | Sequence[str]) -> Iterator[Sequence[str]]:
    """The faults, by name; those of one step come at once."""
    if not isinstance(plan, float):
        yield from ((name,) for name in plan)
        return
    end, names = time.monotonic() + plan, list(FAULTS)
    while time.monotonic() < end:
        chance.shuffle(names)
        queue = [*names]
        while queue and time.monotonic() < end:
            step = [queue.pop()]
            if queue and chance.random() < TWO_AT_ONCE:
                step.append(queue.pop())
            yield step
        names = [name for name in names if name not in ONCE]


async def _burn(fire: Fire, plan: Iterator[Sequence[str]], report: Report) -> None:
    began = time.monotonic()
    await fire.for_a_while(1, 2)
    for step in plan:
        fire.say(f"{time.monotonic() - began:6.1f} s  {' + '.join(step)}; {fire.load.acknowledged} events so far")
        await asyncio.gather(*(FAULTS[name](fire) for name in step))
        await fire.for_a_while(1, 2)
        await fire.site.ready()
        report.survived.update(step)
