"""From one generation to another, and what is left behind."""

from dataclasses import replace
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from app import former
from app.administration import administering
from app.config import Config
from app.generation import Chosen, choose, chosen
from app.settings import Settings
from app.topics import topics_of

POLL_MS = 200


class NoSuch(Exception):
    """There is no such state; one line."""


async def switch(settings: Settings, number: int | None) -> Chosen:
    """Chooses a generation: this one, or the newest. What `identity.map` tells the outside is brought up to date first."""
    found = (await chosen(settings)).chosen
    wanted = found.newest if number is None else number
    if wanted == found.current or wanted > found.newest:
        raise NoSuch(f"state {wanted} is in use already, or was never built; `onetrail rebuild` builds the next one")
    await _demand_readable(settings, wanted, found.current)
    await _tell_the_outside(settings, replace(settings, generation=wanted, shadow=True))
    await choose(settings, wanted, found.newest, found.current)
    return (await chosen(settings)).chosen


async def back(settings: Settings) -> Chosen:
    """Chooses the generation before."""
    found = (await chosen(settings)).chosen
    if found.previous is None:
        raise NoSuch("no other state was in use before")
    await _demand_readable(settings, found.previous, found.current)
    await choose(settings, found.previous, found.newest, found.current)
    return (await chosen(settings)).chosen


async def drop(settings: Settings, config: Config) -> list[str]:
    """Deletes the topics of all generations but the one in use, those of an earlier program too; their names."""
    found = (await chosen(settings)).chosen
    kept = _names(settings, config, found.current)
    others = {name for number in range(found.newest + 1) for name in _names(settings, config, number)} - kept
    async with administering(settings.bootstrap, **settings.security) as admin:
        there = sorted(others & set(await admin.list_topics()))
        if there:
            await admin.delete_topics(there)
    await choose(settings, found.current, found.newest, None)
    return there


def _names(settings: Settings, config: Config, number: int) -> set[str]:
    numbered = replace(settings, generation=number)
    return {topic.name for topic in topics_of(numbered, config)} | former.names(numbered)


async def _demand_readable(settings: Settings, wanted: int, current: int) -> None:
    """Raises NoSuch where workers of an earlier program would get, or still have, what those of this one are to have."""
    if await former.is_former(replace(settings, generation=wanted)):
        raise NoSuch(f"state {wanted} is of an earlier onetrail, and only that one can use it")
    left = replace(settings, generation=current)
    if await former.is_former(left) and (count := await former.workers(left)):
        raise NoSuch(f"{count} workers of an earlier onetrail still run: stop them, and whatever starts them again")


async def _tell_the_outside(settings: Settings, shadow: Settings) -> None:
    """Writes to `identity.map` what differs in the new state: other uids, and tombstones for whom nobody knows there."""
    after, before = await _map(shadow), await _map(settings)
    changed = {key: value for key, value in after.items() if _uid(value) != _uid(before.get(key))}
    gone = dict.fromkeys(before.keys() - after.keys())
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap, acks="all", **settings.security) as producer:
        acks = [await producer.send(f"{settings.prefix}.identity.map", value, key=key) for key, value in (changed | gone).items()]
        for ack in acks:
            await ack


async def _map(settings: Settings) -> dict[bytes, bytes]:
    """The newest value of each key. Memory: some 300 bytes an identifier."""
    found: dict[bytes, bytes | None] = {}
    consumer = AIOKafkaConsumer(
        f"{settings.outer}.identity.map",
        bootstrap_servers=settings.bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **settings.security,
    )
    async with consumer:
        ends: dict[Any, int] = await consumer.end_offsets(list(consumer.assignment()))
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                found |= {record.key: record.value for record in records}
    return {key: value for key, value in found.items() if value is not None}


def _uid(value: bytes | None) -> str | None:
    return None if value is None else msgspec.json.decode(value)["unified_user_id"]
