"""The course of a rebuild: new topics, a shadow worker, the feeder, then the comparison with the log and the state in use."""

import asyncio
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from app import topics
from app.check.held import IDENTIFIERS, Held
from app.check.ledger import Ledger
from app.check.report import Report
from app.check.run import Check, Progress
from app.commands import members
from app.commands.asking import patiently, readiness
from app.config import Config
from app.generation import choose, chosen
from app.settings import Settings
from app.supervisor import Child
from app.tokens import peer_token

READY_SECONDS_MAX, QUIET_SECONDS_MAX, GROUP_SECONDS_MAX = 300.0, 3_600.0, 120.0
POLL_SECONDS = 0.2
Cut = Mapping[tuple[str, int], int]


class Broken(Exception):
    """A part of the rebuild ended; one line that names its log."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A state that was built: its number, how it agrees with the log, and with the state in use."""

    generation: int
    report: Report
    same: int
    """Identifiers that have the uid that they have in the state in use."""
    other: int
    gone: int
    new: int

    def document(self) -> dict[str, Any]:
        """As `onetrail rebuild --json` shows it."""
        compared = {"same_uid": self.same, "other_uid": self.other, "gone": self.gone, "new": self.new}
        return {"generation": self.generation, **self.report.document(), "identifiers": compared}


async def rebuild(settings: Settings, config: Config, url: str, progress: Progress) -> Rebuilt:
    """Builds the next generation beside the one in use, which `url` is a worker of. Raises Broken, Unreadable, Kafka's errors."""
    found = (await chosen(settings)).chosen
    number = found.newest + 1
    await choose(settings, found.current, number, found.previous)
    shadow = replace(settings, generation=number, shadow=True)
    await topics.create(shadow, config)
    data = settings.data / "rebuild" / f"g{number}"
    data.mkdir(parents=True, exist_ok=True)
    worker, theirs = _worker(shadow, data)
    worker.start()
    try:
        await _until(worker, lambda: _is_ready(theirs), READY_SECONDS_MAX)
        cut = await _fed(shadow, data, theirs, progress)
        await _until(worker, lambda: _is_settled(theirs, settings), QUIET_SECONDS_MAX)
        rebuilt = await _compared(shadow, config, url, theirs, cut, progress)
    finally:
        worker.end()
    await _begin_at(shadow, cut)
    return rebuilt


def _environment(shadow: Settings, data: Path) -> dict[str, str]:
    own = {"ONETRAIL_GENERATION": str(shadow.generation), "ONETRAIL_SHADOW": "1", "ONETRAIL_DATA": str(data)}
    return {**members.environment(shadow), **own}


def _worker(shadow: Settings, data: Path) -> tuple[Child, str]:
    """A shadow worker, not started, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    own = {"ONETRAIL_HOST": "127.0.0.1", "ONETRAIL_WEB_PORT": str(port), "ONETRAIL_WEB_URL": url, "ONETRAIL_WORKER": "rebuild"}
    environment = {**_environment(shadow, data), **own}
    return Child("rebuild", (*members.ONETRAIL, "worker"), environment, data / "worker.log"), url


async def _until(worker: Child, is_reached: Any, seconds: float) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not await is_reached():
        if worker.exit_code() is not None or asyncio.get_running_loop().time() > end:
            raise Broken(f"the worker that rebuilds ended, or does not come to rest; its log is {worker.log}")
        await asyncio.sleep(POLL_SECONDS)


async def _is_ready(url: str) -> bool:
    return (await readiness(url)).ready


async def _is_settled(url: str, settings: Settings) -> bool:
    return bool((await patiently(f"{url}/v1/status", settings.read_token))["settled"])


async def _fed(shadow: Settings, data: Path, url: str, progress: Progress) -> Cut:
    """Runs the feeder; up to where it fed, by topic and partition."""
    file, log = data / "fed.json", data / "feed.log"
    command = (sys.executable, "-P", "-m", "app.rebuild.feed", str(file), url)
    with log.open("wb") as errors:
        feeder = await asyncio.create_subprocess_exec(
            *command, env=_environment(shadow, data), stdout=asyncio.subprocess.PIPE, stderr=errors
        )
        assert feeder.stdout is not None
        try:
            async for line in feeder.stdout:
                fed, wanted = map(int, line.split())
                progress("feeding the log", fed, wanted)
            code = await feeder.wait()
        finally:
            if feeder.returncode is None:
                feeder.kill()
    if code:
        raise Broken(f"the log could not be fed; why is in {log}")
    return {(topic, partition): end for topic, partition, end in msgspec.json.decode(file.read_bytes())}


async def _compared(shadow: Settings, config: Config, url: str, theirs: str, cut: Cut, progress: Progress) -> Rebuilt:
    headers = {"Authorization": f"Bearer {peer_token(shadow)}"}
    async with aiohttp.ClientSession(headers=headers) as http:

        async def status() -> dict[str, Any]:
            return await patiently(f"{theirs}/v1/status", shadow.read_token)

        report = await Check(shadow, config, status, progress, cut).run(http)
        before, after = [await _uids(http, config, shadow, one, progress) for one in (url, theirs)]
    counts = {"same": 0, "other": 0, "gone": 0, "new": 0}
    for kind in _kinds(before, after):
        counts[kind] += 1
    before.close()
    after.close()
    return Rebuilt(shadow.generation, report, **counts)


async def _uids(http: aiohttp.ClientSession, config: Config, settings: Settings, url: str, progress: Progress) -> Ledger:
    """A ledger with whose identifiers are, as the workers behind an address say."""

    async def workers() -> dict[str, list[int]]:
        found = await patiently(f"{url}/v1/status", settings.read_token)
        return {worker["url"]: worker["partitions"] for worker in found["workers"]}

    ledger = Ledger()
    await Held(http, workers).read(
        config.topics.partitions, ledger, lambda done, wanted: progress("comparing", done, wanted), IDENTIFIERS
    )
    return ledger


def _kinds(before: Ledger, after: Ledger) -> Any:
    """For each identifier how it compares."""
    query = "SELECT key, {} AS side, uid FROM nodes WHERE uid IS NOT NULL ORDER BY key"
    rows = merge(before.ask(query.format(0)), after.ask(query.format(1)))
    for _, held in groupby(rows, key=itemgetter(0)):
        uids = {side: uid for _, side, uid in held}
        if len(uids) == 2:
            yield "same" if uids[0] == uids[1] else "other"
        else:
            yield "gone" if 0 in uids else "new"


async def _begin_at(shadow: Settings, cut: Cut) -> None:
    """Where workers of this generation go on reading; it can be set once the group has no members any more."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=shadow.bootstrap, group_id=shadow.app_id, enable_auto_commit=False, **shadow.security
    )
    offsets = {TopicPartition(*place): offset for place, offset in cut.items()}
    end = asyncio.get_running_loop().time() + GROUP_SECONDS_MAX
    async with consumer:
        consumer.assign(list(offsets))
        while True:
            if await _committed(consumer, offsets, asyncio.get_running_loop().time() > end):
                return
            await asyncio.sleep(POLL_SECONDS)


async def _committed(consumer: AIOKafkaConsumer, offsets: Mapping[Any, int], is_late: bool) -> bool:
    try:
        await consumer.commit(offsets)
    except KafkaError:
        if is_late:
            raise
        return False
    return True
