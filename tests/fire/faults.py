"""The faults: each does its harm to a site under load, heals what a person would have to heal, and waits until all is up again.

What a fault is not: a slow disk is a broker that is stopped three quarters of the time (SIGSTOP, SIGCONT), for there is no
honest slow disk without rights on the machine. What happens to the log itself is in `tests.fire.log_faults`.
"""

import asyncio
import json
import signal
import time
from collections.abc import Mapping
from typing import Any

from tests.fire.burning import Fault, Fire
from tests.fire.log_faults import commits_lost, compaction, retention_passes, rows_withheld, stale_writer
from tests.fire.people import LEAVERS, PARTED, leaver, parted
from tests.real.crowd import Name
from tests.real.regroup import SESSION_SECONDS
from tests.real.system import ADMIN, Unreachable


async def kill_worker(fire: Fire) -> None:
    """kill -9 of a worker."""
    fire.worker().kill()


async def lose_disk(fire: Fire) -> None:
    """kill -9 of a worker, and its data directory is deleted."""
    worker = fire.worker()
    worker.kill()
    worker.wipe()


async def kill_all_workers(fire: Fire) -> None:
    """kill -9 of all workers at once, one loses its disk."""
    for worker in fire.site.wanted:
        worker.kill()
    fire.worker().wipe()


async def kill_collector(fire: Fire) -> None:
    """kill -9 of the collector, in the midst of requests."""
    fire.site.collector.process.kill()


async def kill_broker(fire: Fire) -> None:
    """kill -9 of Kafka, away for a few seconds."""
    await _broker_away(fire, 3.0)


async def long_outage(fire: Fire) -> None:
    """Kafka is killed and away for longer than sessions last; no worker may end by itself."""
    await _broker_away(fire, SESSION_SECONDS * 2)


async def _broker_away(fire: Fire, seconds: float) -> None:
    fire.site.hands_off.add("broker")
    await fire.site.kill_broker()
    await asyncio.sleep(seconds)
    await fire.site.start_broker()
    fire.site.hands_off.discard("broker")


async def sleep_past_session(fire: Fire) -> None:
    """SIGSTOP of a worker for longer than its session, then SIGCONT: it wakes as a stale writer."""
    worker = fire.worker()
    fire.site.hands_off.add(worker.name)
    worker.freeze()
    await asyncio.sleep(SESSION_SECONDS + fire.chance.uniform(1, 4))
    fire.site.hands_off.discard(worker.name)
    worker.thaw()


async def workers_disk_full(fire: Fire) -> None:
    """The workers' disk is full for a while."""
    async with fire.site.full("workers"):
        await fire.for_a_while(5, 8)


async def broker_disk_full(fire: Fire) -> None:
    """Kafka's disk is full for a while; it stops itself, and takes nothing more until there is room."""
    async with fire.site.full("broker"):
        await fire.for_a_while(3, 6)


async def slow_broker(fire: Fire) -> None:
    """Kafka is killed, and stopped for three quarters of the time after it is back."""
    await _broker_away(fire, 0.5)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        fire.site.broker_signal(signal.SIGSTOP)
        await asyncio.sleep(0.3)
        fire.site.broker_signal(signal.SIGCONT)
        await asyncio.sleep(0.1)


async def add_worker(fire: Fire) -> None:
    """One more worker."""
    fire.site.add()


async def remove_worker(fire: Fire) -> None:
    """A worker is asked to end, and stays away; not the last one but one."""
    if len(fire.site.wanted) > 2:
        worker = fire.worker()
        fire.site.wanted.remove(worker)
        await asyncio.to_thread(worker.stop)


async def clock_jump(fire: Fire) -> None:
    """The wall clock of one worker jumps by up to two hours, either way, and back."""
    clock = fire.site.clock_of(fire.worker())
    clock.write_text(str(fire.chance.uniform(-7200, 7200)))
    await fire.for_a_while(3, 6)
    clock.write_text("0")


async def poison(fire: Fire) -> None:
    """Records that are no events, and some that are too large."""
    await fire.load.spoil(len(fire.load.poison))


async def operators(fire: Fire) -> None:
    """Somebody who was one person is two from now on; somebody is forgotten."""
    for number in set(range(PARTED)) - fire.told.parted:
        a, b = parted(number)
        await _request(fire, "unlinks", {"a": _named(a), "b": _named(b)})
        fire.told.parted.add(number)
        break
    for number in set(range(LEAVERS)) - fire.told.left:
        await _request(fire, "erasures", _named(leaver(number)[0]))
        fire.told.left.add(number)
        break


def _named(name: Name) -> dict[str, str]:
    return {"namespace": name[0], "value": name[1]}


async def _request(fire: Fire, route: str, body: dict[str, Any]) -> None:
    """Asks any worker until one takes it; asked twice is the same as once."""
    while True:
        try:
            answer = await fire.site.system.get(f"/v1/{route}", fire.worker(), ADMIN, "POST", json.dumps(body).encode())
            if answer.status == 202:
                return
            assert answer.status == 503, answer
        except Unreachable:
            pass
        await asyncio.sleep(0.3)


FAULTS: Mapping[str, Fault] = {
    "kill worker": kill_worker,
    "lose disk": lose_disk,
    "kill all workers": kill_all_workers,
    "kill collector": kill_collector,
    "kill broker": kill_broker,
    "long outage": long_outage,
    "sleep past session": sleep_past_session,
    "stale writer": stale_writer,
    "compaction": compaction,
    "workers' disk full": workers_disk_full,
    "broker's disk full": broker_disk_full,
    "slow broker": slow_broker,
    "add worker": add_worker,
    "remove worker": remove_worker,
    "clock jump": clock_jump,
    "poison": poison,
    "operators": operators,
    "retention passes": retention_passes,
    "rows withheld": rows_withheld,
    "commits lost": commits_lost,
}
