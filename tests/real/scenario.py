"""The chain with Kafka, as the stories of tests/scenarios/ ask it: records in, answers over HTTP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from app.config import load
from app.settings import PACKAGED_CONFIG
from models.notation import Line
from models.requests import encode
from tests.real.system import KEY, System, path_of
from tests.scenarios.chain import requested, sighting_of
from tests.scenarios.suite import Entry, Seen, record

CONFIG = load(PACKAGED_CONFIG)


class KafkaChain:
    """A running system. Events of one call may overtake one another; a request waits for what was said before it."""

    def __init__(self, system: System) -> None:
        self._system = system

    async def tell(self, lines: Sequence[Line]) -> None:
        """Each line is written when the one before is acknowledged."""
        for line in lines:
            if line.kind == "event":
                await self._system.put(f"behaviour.{line.channel}", record(line))
            else:
                await self._system.settled()
                named = [sighting_of(CONFIG, name, KEY.encode()) for name in line.names]
                await self._system.put("requests", encode(requested(line, named)))
        await self._system.settled()

    async def person(self, name: str) -> Seen | None:
        return await self._seen(path_of("journeys", *_split(name)))

    async def person_of(self, uid: str) -> Seen | None:
        answer = await self._system.get(f"/v1/users/{uid}")
        if answer.status == 404:
            return None
        first = answer.body["identifiers"][0]
        return await self.person(f"{first['namespace']}:{first['value']}")

    async def uids(self, name: str) -> Sequence[str]:
        history = await self._system.known(path_of("identities", *_split(name)) + "/history")
        return [tenure["unified_user_id"] for tenure in history["items"]]

    async def refused(self, name: str) -> Sequence[str]:
        identity = await self._system.known(path_of("identities", *_split(name)))
        return [f"{link['namespace']}:{link['value']}" for link in identity["refused"]]

    async def path(self, start: str, end: str) -> Sequence[str]:
        to = quote(end, safe="")
        explained = await self._system.known(f"{path_of('identities', *_split(start))}/explain?to={to}")
        steps = [(step["evidence"][0]["event_id"], step["identifiers"][1]) for step in explained["path"]]
        return [start, *(word for step in steps for word in step)]

    async def _seen(self, path: str) -> Seen | None:
        answer = await self._system.get(path)
        if answer.status == 404:
            return None
        assert answer.status == 200, answer
        identifiers = {f"{one['namespace']}:{one['value']}": one["channels"] for one in answer.body["identifiers"]}
        return Seen(answer.body["unified_user_id"], identifiers, [_entry(item) for item in answer.body["items"]])


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(round(datetime.fromisoformat(item["occurred_at"]).timestamp() * 1_000), item["channel"], item["event"])


def _split(name: str) -> tuple[str, str]:
    namespace, _, value = name.partition(":")
    return namespace, value
