"""One process on one seat, over the real recovery and the real stage or relay; and the parts and faults of a run.

A *seat* is a partition of a stage or of the relay. One process holds it; others may be asleep, having held it before, and
wake to finish what they had begun. A process is a coroutine that is driven from pause to pause.
"""

import random
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from app.runtime.durable import Fenced
from app.runtime.relay import Relay
from app.runtime.rows import Recovery
from app.runtime.stage import Position, Stage
from app.runtime.tally import Tally
from tests.app.runtime import flow
from tests.app.runtime.kafka_model import Broker, Disk, Inbound, Pause, Place, Port

RAW = "raw"
CHANGELOG = "changelog of {}"
PREFIX = {flow.SHOPPERS: b"s|", flow.SHOPS: b"e|"}
KINDS: dict[str, Any] = {flow.SHOPPERS: flow.ShopperMessage, flow.SHOPS: flow.Asked}
ACTORS: dict[str, Any] = {flow.SHOPPERS: flow.Shoppers(), flow.SHOPS: flow.Shops()}


@dataclass(frozen=True)
class Rules:
    """The parts of the runtime; a mutant puts a broken one in the place of a good one."""

    recovery: type[Recovery] = Recovery
    disk: type[Disk] = Disk
    port: type[Port] = Port
    probe: bool = True
    prove: bool = True
    finish_first: bool = False


@dataclass(frozen=True)
class Faults:
    """Shares of what is drawn at each step."""

    orders: int = 16
    crash: float = 0.03
    stall: float = 0.02
    wake: float = 0.03
    move: float = 0.02
    compact: float = 0.02
    duplicate: float = 0.02
    commit: float = 0.3
    lost_disk: float = 0.3
    batch: int = 4


class Surroundings(Protocol):
    """What a process needs of its world."""

    broker: Broker
    rng: random.Random
    rules: Rules
    faults: Faults


class Seat:
    """A partition of a stage or of the relay, and who holds or held it."""

    def __init__(self, place: Place, rules: Rules) -> None:
        self.place = place
        self.disks = [rules.disk(), rules.disk()]
        self.holder: Process | None = None
        self.asleep: list[Process] = []
        self.resting: dict[int, Process] = {}

    @property
    def changelog(self) -> Place:
        """Its changelog."""
        return CHANGELOG.format(self.place[0]), self.place[1]


class Process:
    """One worker's work on one seat, from recovery to its end."""

    def __init__(self, world: "Surroundings", seat: Seat, worker: int, before: "Process | None" = None) -> None:
        self.world, self.seat, self.worker = world, seat, worker
        self.broker, self.disk = world.broker, seat.disks[worker]
        self.port: Port = before.port if before else world.rules.port(world.broker, self.disk)
        self.paused = ""
        self.last, self.position = -1, 0
        codec, stage = flow.Codec(), seat.place[0]
        self.tally: Tally[Any] = Tally(codec, PREFIX.get(stage, b"s|"), len)
        self.stage: Stage[Any, Any] | None = None
        if before is not None:
            self.stage, self.tally = before.stage, before.tally
        elif stage != RAW:
            changelog = CHANGELOG.format(stage)
            self.stage = Stage(KINDS[stage], ACTORS[stage], codec, changelog, flow.PARTITIONS, self.port, self.tally)
        self.steps: Coroutine[str | None, None, None] = self.live()

    def step(self) -> None:
        """Runs up to the next pause."""
        self.paused = self.steps.send(None) or "yield"

    async def live(self) -> None:
        """Catches up, then takes what waits in the inbox, again and again."""
        if self.stage is not None:
            self.last = await self.recover()
            await self.tally.begin(self.seat.place[1], self.disk)  # type: ignore[arg-type]  # it reads as a partition does
        await Pause("recovered")
        self.position = self.broker.committed.get(self.seat.place, 0)
        await Pause("sought")
        self.prove()
        while True:
            last = self.position + self.world.rng.randint(1, self.world.faults.batch)
            records = self.broker.inbox(self.seat.place)[self.position : last]
            if not records:
                await Pause("idle")
                continue
            if self.world.rules.finish_first:
                self.commit(self.position + len(records))
            await self.work(records)
            self.position += len(records)
            await Pause("finished")
            if self.world.rng.random() < self.world.faults.commit:
                self.commit(self.position)

    def prove(self) -> None:
        """What `RowTable.prove` does before the first batch."""
        end = self.broker.changelog(self.seat.changelog).end
        if self.stage is not None and self.world.rules.prove and end != self.last + 1:
            raise Fenced(f"ends at {end}, ours at {self.last + 1}")

    @property
    def at_rest(self) -> bool:
        """Whether there is nothing to do."""
        return self.paused == "idle" and self.position == len(self.broker.inbox(self.seat.place))

    async def recover(self) -> int:
        """Folds the changelog run by run, settles."""
        recovery, changelog = self.world.rules.recovery(), self.broker.changelog(self.seat.changelog)
        entries = changelog.behind(self.disk.persisted)
        while entries:
            size = self.world.rng.randint(1, 8)
            run, entries = entries[:size], entries[size:]
            recovery.fold(self.disk, run, run[-1].offset)
            await Pause("folded")

        async def append(rows: Any, last: int) -> int:
            return await self.port.append(*self.seat.changelog, rows, last)

        return await recovery.settle(self.disk, self.disk.persisted, changelog.end, append)

    async def work(self, records: list[Inbound]) -> None:
        """One batch."""
        name, number = self.seat.place
        if self.stage is None:
            await Relay(flow.relay, flow.refuse, flow.PARTITIONS, self.port).apply(f"{name}/{number}", records)
        else:
            self.last = await self.stage.apply(Position(number, f"{name}/{number}"), self.disk, self.last, records)
        await self.port.applied()

    def commit(self, position: int) -> None:
        """Only who holds the seat may."""
        if self.seat.holder is self:
            self.broker.committed[self.seat.place] = position


def held(seat: Seat) -> Process:
    """The process of a seat that somebody holds."""
    assert seat.holder is not None
    return seat.holder
