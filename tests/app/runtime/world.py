"""The flow of `flow.py` on the model of Kafka, for one seed: what happens next is drawn, and anything may go wrong."""

import random

import msgspec

from app.runtime.durable import Fenced
from tests.app.runtime import flow
from tests.app.runtime.kafka_model import Broker, Crashed, Disk, Inbound
from tests.app.runtime.process import PREFIX, RAW, Faults, Process, Rules, Seat, held


class World:
    """All seats, one broker."""

    def __init__(self, seed: int, rules: Rules | None = None, faults: Faults | None = None) -> None:
        self.rng = random.Random(seed)
        self.rules, self.faults = rules or Rules(), faults or Faults()
        self.broker = Broker()
        self.seats = [Seat((topic, n), self.rules) for topic in (RAW, flow.SHOPPERS, flow.SHOPS) for n in range(flow.PARTITIONS)]
        self.awake: list[Process] = []
        self.orders: list[flow.Order] = []
        self.happened: dict[str, int] = dict.fromkeys(("crashed", "fenced", "stalled", "woken", "moved", "compacted"), 0)
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
            (self.faults.move, self.move),
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
        seat.resting.pop(worker, None)
        if self.rng.random() < self.faults.lost_disk if lost is None else lost:
            seat.disks[worker] = self.rules.disk()
        seat.holder = Process(self, seat, worker)

    def move(self) -> None:
        """A seat goes over to the other worker in order; what the first has in memory rests there until it comes back."""
        if still := [seat for seat in self.seats if held(seat).paused in ("idle", "finished")]:
            seat = self.rng.choice(still)
            holder = held(seat)
            holder.steps.close()
            before = seat.resting.pop(1 - holder.worker, None)
            if before is None:
                self.hand_over(seat, 1 - holder.worker, lost=False)
            else:
                seat.holder = Process(self, seat, 1 - holder.worker, before)
            seat.resting[holder.worker] = holder
            self.happened["moved"] += 1

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
