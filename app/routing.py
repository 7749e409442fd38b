"""Which worker owns a key, and how its rows are read wherever they are.

A partition is read only where it is live. Its owner is found in the assignment that the group agreed on; while that is
changing, and while the owner recovers, the answer is NotReady: never an old one, never an empty one.
"""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import aiohttp
import msgspec
from faust.types import TP
from yarl import URL

from app.runtime.app import App
from app.runtime.packs import place
from app.runtime.rows import Partition
from app.runtime.tables import RowTable

T = TypeVar("T")

PEER_SECONDS_MAX = 2.0
HOP = "X-Onetrail-Hop"


class NotReady(Exception):
    """The rows asked for are on the move; asking again in a moment helps."""


class Question(NamedTuple, Generic[T]):
    """What a worker can be asked: a name for the path, the table, how to read it, and the type of what comes."""

    name: str
    table: RowTable
    read: Callable[[Partition, msgspec.Raw], T]
    kind: Any


class Peers:
    """Asks questions of the owners of rows: here if it is this worker, else over HTTP."""

    def __init__(self, app: App, partitions: int, token: str) -> None:
        self._app, self._partitions, self._token = app, partitions, token
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, question: Question[T], route: str, argument: object) -> T:
        """The owner's answer. NotReady: nobody can answer right now."""
        partition = place(route, self._partitions)
        raw = msgspec.msgpack.encode(argument)
        owner = self.owner(question.table, partition)
        if owner is None or owner == self.here:
            return self.answer(question, partition, raw)
        answer = await self.get(owner, f"_peer/{question.name}/{partition}?q={raw.hex()}")
        found: T = msgspec.msgpack.decode(answer, type=question.kind)
        return found

    def answer(self, question: Question[T], partition: int, raw: bytes) -> T:
        """This worker's own answer."""
        table = question.table
        if not self._app.owns or partition not in table.live:
            raise NotReady(f"partition {partition} of {table.name} is on the move")
        return question.read(table.partition(partition), msgspec.Raw(raw))

    @property
    def here(self) -> str:
        """This worker's address, as others know it."""
        return _address(self._app.conf.canonical_url)

    def owner(self, table: RowTable, partition: int) -> str | None:
        """The address of the worker that owns a partition; None while nobody is known to."""
        for address, topics in self._app.assignor.table_metadata(table.changelog).items():
            if partition in topics.get(table.changelog, ()):
                return _address(address)
        return None

    def workers(self) -> list[str]:
        """The addresses of all workers that own something, this one included."""
        return sorted({self.here, *map(_address, self._app.assignor.tables_metadata())})

    async def close(self) -> None:
        """Ends the connections to other workers."""
        if self._session is not None:
            await self._session.close()

    async def get(self, address: str, path: str) -> bytes:
        """What a worker answers on an internal path. NotReady: it does not, or not now."""
        if self._session is None:
            headers = {"Authorization": f"Bearer {self._token}", HOP: "1"}
            self._session = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(PEER_SECONDS_MAX))
        if self._session.closed:
            raise NotReady("this worker ends")
        try:
            async with self._session.get(f"{address}/{path}") as response:
                if response.status != 200:
                    raise NotReady(f"{address} answered {response.status}")
                return await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NotReady(f"{address} does not answer: {error}") from None


def _address(url: URL | str) -> str:
    return str(url).rstrip("/")


def input_partitions(app: App) -> set[TP]:
    """The partitions of inboxes and raw topics that this worker consumes now; changelogs are not among them."""
    return {tp for tp in app.runs.assignment() if tp.topic not in app.tables.changelog_topics}
