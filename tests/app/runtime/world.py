"""The flow of `flow.py` on the model of Kafka, for one seed: what happens next is drawn, and anything may go wrong.

A *seat* is a partition of a stage or of the relay. One process holds it; others may be asleep, having held it before, and wake to
finish what they had begun. A process is a coroutine around the real `Recovery` and `Stage` (or `Relay`), driven from pause
to pause. `Rules` name the parts that a mutant replaces.
"""

import random
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec

from app.runtime.durable import Fenced
from app.runtime.relay import Relay
from app.runtime.rows import Recovery
from app.runtime.stage import Position, Stage
from app.runtime.tally import Tally
from tests.app.runtime import flow
from tests.app.runtime.kafka_model import Broker, Crashed, Disk, Inbound, Pause, Place, Port

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
    compact: float = 0.02
    duplicate: float = 0.02
    commit: float = 0.3
    lost_disk: float = 0.3
    batch: int = 4


class Seat:
    """A partition of a stage or of the relay, and who holds or held it."""

    def __init__(self, place: Place, rules: Rules) -> None:
        self.place = place
        self.disks = [rules.disk(), rules.disk()]
        self.holder: Process | None = None
        self.asleep: list[Process] = []

    @property
    def changelog(self) -> Place:
        """Its changelog."""
        return CHANGELOG.format(self.place[0]), self.place[1]


class Process:
    """One worker's work on one seat, from recovery to its end."""

    def __init__(self, world: "World", seat: Seat, worker: int) -> None:
        self.world, self.seat, self.worker = world, seat, worker
        self.broker, self.disk = world.broker, seat.disks[worker]
        self.port = world.rules.port(world.broker, self.disk)
        self.paused = ""
        self.last, self.position = -1, 0
        codec, stage = flow.Codec(), seat.place[0]
        self.tally: Tally[Any] = Tally(codec, PREFIX.get(stage, b"s|"), len)
        self.stage: Stage[Any, Any] | None = None
        if stage != RAW:
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
            await Relay(flow.relay, flow.PARTITIONS, self.port).apply(f"{name}/{number}", records)
        else:
            self.last = await self.stage.apply(Position(number, f"{name}/{number}"), self.disk, self.last, records)
        await self.port.applied()

    def commit(self, position: int) -> None:
        """Only who holds the seat may."""
        if self.seat.holder is self:
            self.broker.committed[self.seat.place] = position


class World:
    """All seats, one broker."""

    def __init__(self, seed: int, rules: Rules | None = None, faults: Faults | None = None) -> None:
        self.rng = random.Random(seed)
        self.rules, self.faults = rules or Rules(), faults or Faults()
        self.broker = Broker()
        self.seats = [Seat((topic, n), self.rules) for topic in (RAW, flow.SHOPPERS, flow.SHOPS) for n in range(flow.PARTITIONS)]
        self.awake: list[Process] = []
        self.orders: list[flow.Order] = []
        self.happened: dict[str, int] = dict.fromkeys(("crashed", "fenced", "stalled", "woken", "compacted"), 0)
        for seat in self.seats:
            self.hand_over(seat, 0)

    def run(self) -> list[str]:
        """Orders come in while things go wrong; then all comes to rest. What is not as it should be."""
        try:
            while len(self.orders) < self.faults.orders or self.rng.random() < 0.98:
                self.happen()
            self.rest()
            return self.wrong()
        finally:
            for process in (*self.awake, *(p for seat in self.seats for p in (*seat.asleep, held(seat)))):
                process.steps.close()

    def happen(self) -> None:
        """One thing, mostly a step of somebody."""
        drawn = self.rng.random()
        for share, do in (
            (self.faults.crash, self.crash),
            (self.faults.stall, self.stall),
            (self.faults.wake, self.wake),
            (self.faults.compact, self.compact),
            (self.faults.duplicate, self.duplicate),
            (0.04, self.order),
        ):
            if drawn < share:
                do()
                return
            drawn -= share
        self.advance(self.rng.choice([*self.awake, *(seat.holder for seat in self.seats if seat.holder)]))

    def order(self) -> None:
        """Somebody orders something."""
        if len(self.orders) < self.faults.orders:
            order = flow.Order(len(self.orders), f"shopper{self.rng.randrange(4)}")
            self.orders.append(order)
            self.broker.deliver((RAW, flow.placed(order)), msgspec.msgpack.encode(order))

    def advance(self, process: Process) -> None:
        """One step; who is fenced or crashes ends, and if it held its seat, somebody takes over."""
        try:
            process.step()
        except (Fenced, Crashed) as end:
            self.happened["fenced" if isinstance(end, Fenced) else "crashed"] += 1
            if process.seat.holder is process:
                self.hand_over(process.seat, self.rng.randrange(2))
            else:
                self.awake.remove(process)
            return
        if process.paused in ("idle", "finished") and process in self.awake:
            process.steps.close()
            self.awake.remove(process)

    def crash(self) -> None:
        """A process ends where it is."""
        seat = self.rng.choice(self.seats)
        self.happened["crashed"] += 1
        self.hand_over(seat, self.rng.randrange(2))

    def hand_over(self, seat: Seat, worker: int, lost: bool | None = None) -> None:
        """A new process on a worker, in the place of all that this worker had on the seat; its disk may be `lost`."""
        if seat.holder is not None:
            seat.holder.steps.close()
        for process in [p for p in (*seat.asleep, *self.awake) if p.seat is seat and p.worker == worker]:
            process.steps.close()
            (seat.asleep if process in seat.asleep else self.awake).remove(process)
        if self.rng.random() < self.faults.lost_disk if lost is None else lost:
            seat.disks[worker] = self.rules.disk()
        seat.holder = Process(self, seat, worker)

    def stall(self) -> None:
        """A process falls asleep in the midst of something, and the other worker takes over."""
        if busy := [seat for seat in self.seats if held(seat).paused not in ("", "idle", "finished")]:
            self.happened["stalled"] += 1
            seat = self.rng.choice(busy)
            holder = held(seat)
            holder.port.stale = True
            seat.asleep.append(holder)
            seat.holder = None
            self.hand_over(seat, 1 - holder.worker)

    def wake(self) -> None:
        """One that slept goes on as if nothing had happened."""
        asleep = [process for seat in self.seats for process in seat.asleep]
        if asleep:
            self.happened["woken"] += 1
            process = self.rng.choice(asleep)
            process.seat.asleep.remove(process)
            self.awake.append(process)

    def compact(self) -> None:
        """The broker compacts a changelog, later than an owner who has nothing to do has looked at its end."""
        idle = [seat for seat in self.seats[flow.PARTITIONS :] if held(seat).paused == "idle"]
        if idle and not self.probe(seat := self.rng.choice(idle)):
            changelog = self.broker.changelog(seat.changelog)
            self.happened["compacted"] += 1
            changelog.compact(self.rng.randint(changelog.end // 2, changelog.end))

    def probe(self, seat: Seat) -> bool:
        """Whether an idle owner found that somebody else wrote; it then starts again."""
        holder = seat.holder
        assert holder is not None
        if not self.rules.probe or holder.last + 1 == self.broker.changelog(seat.changelog).end:
            return False
        self.happened["fenced"] += 1
        self.hand_over(seat, holder.worker)
        return True

    def duplicate(self) -> None:
        """A pack that a stale process sent arrives again, at any later time."""
        inbox = self.broker.inbox(self.rng.choice(self.seats[flow.PARTITIONS :]).place)
        if inbox:
            inbox.append(Inbound(len(inbox), self.rng.choice(inbox).value))

    def rest(self) -> None:
        """Nothing new goes wrong: sleepers finish, everything is worked off, owners look behind them once more."""
        while any(seat.asleep for seat in self.seats):
            self.wake()
        while self.awake:
            self.advance(self.awake[0])
        self.settle()
        while any(self.probe(seat) for seat in self.seats if seat.place[0] != RAW):
            self.settle()

    def settle(self) -> None:
        """Until all are idle."""
        while busy := [held(seat) for seat in self.seats if not held(seat).at_rest]:
            for process in busy:
                self.advance(process)

    def wrong(self) -> list[str]:
        """What is lost, doubled, or not the same everywhere."""
        stages = self.seats[flow.PARTITIONS :]
        rows = [seat.disks[held(seat).worker] for seat in stages]
        wanted, got = flow.expected(self.orders), flow.found(rows)
        wrong = [
            f"{key}: {got.get(key)}, not {wanted.get(key)}"
            for key in wanted.keys() | got.keys()
            if got.get(key) != wanted.get(key)
        ]
        wrong += [f"order {order.number} is in nobody's hands" for order in self.orders if self.unheard(order)]
        for seat, disk in zip(stages, rows, strict=True):
            wrong += self.miscounted(seat, disk)
            wrong += [f"{seat.place}: {what}" for what in self.differing(seat, dict(disk.rows))]
        return wrong

    def unheard(self, order: flow.Order) -> bool:
        """Whether an order that cannot be handled was not rejected."""
        return flow.poisonous(order.number) and not any(
            record.value == msgspec.msgpack.encode(order) for record in self.broker.outside
        )

    def miscounted(self, seat: Seat, disk: Disk) -> list[str]:
        """Whether the tally is not what it would be when counted now."""
        counted, codec = held(seat).tally.total([seat.place[1]]), flow.Codec()
        real = sum(len(codec.decode(key, body)) for key, body in disk.bodies(PREFIX[seat.place[0]]))
        return [] if counted == real else [f"{seat.place}: tally {counted}, not {real}"]

    def differing(self, seat: Seat, rows: dict[bytes, bytes]) -> list[str]:
        """Whether the other worker's disk, or an empty one, becomes another than the owner's."""
        wrong = []
        for lost in (False, True):
            self.hand_over(seat, 1 - held(seat).worker, lost)
            self.settle()
            if held(seat).disk.rows != rows:
                wrong.append("the changelog is not the table" if lost else "the other disk is not the table")
        return wrong


def held(seat: Seat) -> Process:
    """The process of a seat that somebody holds."""
    assert seat.holder is not None
    return seat.holder
