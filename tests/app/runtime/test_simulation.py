"""The real stages, relays and recovery on a model of Kafka in which everything goes wrong: each message is applied once.

A failing seed is replayed with `World(seed, faults=...).run()`.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.runtime import packs, rows, stage
from app.runtime.overlay import Recent
from app.runtime.packs import Pack, place
from app.runtime.stage import Stage
from tests.app.runtime import flow
from tests.app.runtime.mutants import MUTANTS, Forgetful, GapAdopted, Unfenced
from tests.app.runtime.process import Faults, Process, Rules, Seat, held
from tests.app.runtime.world import World

MANY_STALE = Faults(orders=14, crash=0.02, stall=0.05, wake=0.03, compact=0.06, lost_disk=0.6)
CALM = Faults(orders=0, crash=0, stall=0, wake=0, compact=0, duplicate=0, lost_disk=0, commit=0, batch=9)
KILLED_WITHIN = 150


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packs of three and appends of 600 bytes, so that few messages make many rounds and split batches."""
    monkeypatch.setattr(packs, "PACK_MESSAGES", 3)
    monkeypatch.setattr(stage, "APPEND_BYTES", 600)
    monkeypatch.setattr(rows, "APPEND_BYTES", 600)


@pytest.mark.parametrize("faults", [Faults(), MANY_STALE], ids=["crashes", "stale workers"])
def test_every_message_is_applied_once_whatever_goes_wrong(faults: Faults) -> None:
    happened: dict[str, int] = {}
    for seed in range(160):
        world = World(seed, faults=faults)
        assert not world.run(), f"seed {seed}"
        happened = {what: happened.get(what, 0) + count for what, count in world.happened.items()}
    assert min(happened.values()) > 60, f"too little went wrong: {happened}"


@pytest.mark.parametrize("rule", MUTANTS)
def test_without_the_rule_something_is_lost_or_doubled(rule: str) -> None:
    assert any(fails(World(seed, MUTANTS[rule])) for seed in range(KILLED_WITHIN)), f"nothing fails: {rule}"


def test_decoded_rows_of_another_offset_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(self: Stage[Any, Any], partition: int, persisted: int) -> Recent[Any]:
        return self._recent.setdefault(partition, Recent(persisted))

    monkeypatch.setattr(Stage, "_recent_of", kept)
    assert any(fails(World(seed)) for seed in range(KILLED_WITHIN))


def test_a_worker_that_slept_between_recovery_and_seek_does_not_work_on_rows_that_lack_what_was_committed() -> None:
    assert not slept_before_its_seek(Rules())
    assert slept_before_its_seek(Rules(prove=False))


def test_an_idle_owner_finds_what_a_stale_worker_wrote_before_it_is_compacted() -> None:
    assert not woke_behind_an_owner(Rules(), orders_after=0)
    assert woke_behind_an_owner(Rules(probe=False), orders_after=0)


def test_the_rightful_owner_is_fenced_too() -> None:
    assert not woke_behind_an_owner(Rules(), orders_after=1)
    assert woke_behind_an_owner(Rules(port=GapAdopted), orders_after=1)
    assert woke_behind_an_owner(Rules(port=Unfenced), orders_after=1)


def test_a_stale_half_of_a_split_record_is_older_than_its_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not woke_with_half_a_record()
    monkeypatch.setattr(stage, "moment", lambda offset, index: offset)
    assert woke_with_half_a_record()


def test_a_batch_that_does_not_fit_is_split_and_its_changelog_has_no_torn_state() -> None:
    world = World(0, faults=CALM)
    deliver(world, "ann", 24)
    world.settle()
    appends = changed_cursors(world, seat_of(world, "ann"))
    assert len(appends) > 3
    assert not world.wrong()


def test_without_a_cursor_the_same_pack_counts_again() -> None:
    for disk, heard in ((Rules().disk, 1), (Forgetful, 2)):
        world = World(0, Rules(disk=disk), CALM)
        deliver(world, "ann", 1)
        world.settle()
        inbox = world.broker.inbox(seat_of(world, "ann").place)
        world.broker.deliver(seat_of(world, "ann").place, inbox[0].value)
        world.settle()
        assert len(flow.found([held(seat_of(world, "ann")).disk])["s|ann"]) == heard


def fails(world: World) -> bool:
    """A broken runtime may also trip over its own assertions."""
    try:
        return bool(world.run())
    except AssertionError:
        return True


def slept_before_its_seek(rules: Rules) -> list[str]:
    """Ann's partition: a worker recovers and sleeps, its successor handles two orders and commits one."""
    world = World(0, rules, CALM)
    ann = seat_of(world, "ann")
    deliver(world, "ann", 1)
    world.settle()
    sleeper = asleep_when(world, ann, lambda process: process.paused == "recovered")
    deliver(world, "ann", 1)
    world.settle()
    held(ann).commit(held(ann).position)
    deliver(world, "ann", 1)
    world.settle()
    return wake_and_rest(world, sleeper)


def woke_behind_an_owner(rules: Rules, orders_after: int) -> list[str]:
    """A worker sleeps before its append; its successor does more; the first wakes and appends; compaction; an empty disk."""
    world = World(0, rules, CALM)
    ann = seat_of(world, "ann")
    deliver(world, "ann", 1)
    sleeper = asleep_when(world, ann, lambda process: process.paused == "append")
    deliver(world, "ann", 1)
    world.settle()
    finish(world, sleeper)
    deliver(world, neighbour_of("ann"), orders_after)
    world.settle()
    if not world.probe(ann):
        world.broker.changelog(ann.changelog).compact(world.broker.changelog(ann.changelog).end)
    world.rest()
    return world.wrong()


def woke_with_half_a_record() -> list[str]:
    """A record of two orders does not fit into one append; a worker sleeps with the first half of it."""
    world = World(0, faults=CALM)
    ann = seat_of(world, "ann")
    deliver(world, "ann", 20)
    sleeper = asleep_when(world, ann, lambda process: process.paused == "append")
    world.settle()
    held(ann).commit(held(ann).position)
    return wake_and_rest(world, sleeper)


def asleep_when(world: World, seat: Seat, when: Callable[[Process], bool]) -> Process:
    """The process of a fresh start on the first worker, asleep where `when` says; the other worker has taken over."""
    world.hand_over(seat, 0)
    sleeper = held(seat)
    while not when(sleeper):
        sleeper.step()
    sleeper.port.stale = True
    seat.holder = None
    world.hand_over(seat, 1)
    return sleeper


def wake_and_rest(world: World, sleeper: Process) -> list[str]:
    finish(world, sleeper)
    world.rest()
    return world.wrong()


def finish(world: World, sleeper: Process) -> None:
    """The sleeper goes on until it has finished its batch or ends."""
    world.awake.append(sleeper)
    while sleeper in world.awake:
        world.advance(sleeper)


def deliver(world: World, shopper: str, count: int) -> None:
    """One record with some orders of a shopper."""
    orders = [flow.Order(len(world.orders) * 11 + n * 11, shopper) for n in range(count)]
    world.orders += orders
    pack = Pack("a test/0", [(order.number, order) for order in orders])
    if orders:
        world.broker.deliver(seat_of(world, shopper).place, msgspec.msgpack.encode(pack))


def seat_of(world: World, shopper: str) -> Seat:
    """Where a shopper lives."""
    return next(seat for seat in world.seats if seat.place == (flow.SHOPPERS, place(shopper, flow.PARTITIONS)))


def neighbour_of(shopper: str) -> str:
    """Another shopper of the same partition."""
    names = (f"neighbour {n}" for n in range(99))
    return next(name for name in names if place(name, flow.PARTITIONS) == place(shopper, flow.PARTITIONS))


def changed_cursors(world: World, seat: Seat) -> list[int]:
    """The offsets of cursor rows: one for each append."""
    return [entry.offset for entry in world.broker.changelog(seat.changelog).entries if entry.key == stage.CURSOR]
