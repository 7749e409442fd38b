"""How far a worker is with each partition that it consumes, for its watchdog."""

import asyncio
from collections.abc import Mapping, Sequence

from faust.types import TP

from app.runtime.app import App
from app.runtime.lanes import lane_name
from app.runtime.tables import RowTable
from app.runtime.watchdog import MOVING, Standing

POSITION_SECONDS_MAX = 1.0


async def standings(app: App, tables: Sequence[RowTable]) -> Mapping[TP, Standing]:
    """The inputs of this worker; while its partitions move, how much of the changelogs it has read.

    Raises KafkaError while Kafka is not well.
    """
    changelogs = [TP(table.changelog, number) for table in tables for number in table.live]
    if app.rebalancing or app.in_recovery or not app.tables.actives_ready:
        await app.offsets.demand_well([TP(table.changelog, 0) for table in tables])
        read = sum(table.store.folded for table in tables)
        return {MOVING: Standing(read, read + 1)}
    inputs = [tp for tp in app.runs.assignment() if tp.topic not in app.tables.changelog_topics]
    await app.offsets.demand_well([*inputs, *changelogs])
    ends = await app.offsets.ends(inputs)
    begins = await app.offsets.begins(inputs)
    finished = {tp: max(begins[tp], app.runs.position_of(tp) or 0) for tp in inputs}
    return {tp: Standing(finished[tp], await _wanted(app, tp, finished[tp], ends[tp])) for tp in inputs}


async def _wanted(app: App, tp: TP, finished: int, end: int) -> int:
    """The end, or what is finished where only markers of transactions are left, which no consumer hands out."""
    if finished >= end or any(task.get_name() == lane_name(tp) for task in asyncio.all_tasks()):
        return end
    try:
        async with asyncio.timeout(POSITION_SECONDS_MAX):
            position = await app.consumer.position(tp)
    except TimeoutError:
        return end
    return finished if position is not None and position >= end else end
