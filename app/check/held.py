"""What the workers hold: their rows, page by page over HTTP, as rows of the ledger.

A page is a few hundred rows, so that who answers it has time for others in between. Rows of an earlier format are brought up by
the same codec that the workers use.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import aiohttp
import msgspec

from app.check.ledger import Ledger, batches
from app.check.told import digest
from app.row_pages import ROWS
from app.runtime.stage import CURSOR
from models.clicks import gap_of
from models.identity.rows import Cluster, Node, Request
from models.identity.values import Content
from models.ids import EventId
from models.journey.rows import Entry, Header, place_of, uid_of
from tables.codec import codec

Rows = list[tuple[bytes, bytes]]
PAGE_SECONDS_MAX = 30.0
TRIES, TRY_SECONDS = 60, 1.0
IDENTIFIERS = (b"n|",)
ALL = (*IDENTIFIERS, b"c|", b"r|", b"h|", b"t|")
"""Prefixes of keys."""
Workers = Callable[[], Awaitable[Mapping[str, list[int]]]]
_pages = msgspec.msgpack.Decoder(Rows)
_cursor = msgspec.msgpack.Decoder(dict[str, int])


class Unreadable(Exception):
    """The workers do not hand out their rows; one line."""


class _Head(msgspec.Struct, array_like=True):
    """The beginning of an event."""

    event_id: EventId
    event: str
    channel: str
    occurred_at: int
    received_at: int


_head = msgspec.msgpack.Decoder(_Head)


class Held:
    """Asks workers. `workers` gives url -> partitions; it is asked again when somebody does not have what he had."""

    def __init__(self, http: aiohttp.ClientSession, workers: Workers) -> None:
        self._http, self._workers = http, workers
        self._owners: Mapping[str, list[int]] = {}

    async def cursors(self, partitions: int) -> list[tuple[str, int]]:
        """What has been seen of each source."""
        found = []
        for partition in range(partitions):
            async for rows in self._rows(partition, CURSOR):
                found += [item for _, body in rows for item in _cursor.decode(body).items()]
        return found

    async def read(
        self, partitions: int, ledger: Ledger, report: Callable[[int, int], None], wanted: Sequence[bytes] = ALL
    ) -> None:
        """Rows, by prefixes of keys, into the ledger; `report` gets partitions read and how many there are."""
        for partition in range(partitions):
            for prefix in wanted:
                async for rows in self._rows(partition, prefix):
                    keep(ledger, rows)
            report(partition + 1, partitions)

    async def _rows(self, partition: int, prefix: bytes) -> AsyncIterator[Rows]:
        start = prefix
        while rows := await self._page(partition, prefix, start):
            yield rows
            start = rows[-1][0] + b"\0"

    async def _page(self, partition: int, prefix: bytes, start: bytes) -> Rows:
        why, asked = "nobody owns it", msgspec.msgpack.encode((prefix, start))
        for _ in range(TRIES):
            for url in [url for url, owned in self._owners.items() if partition in owned]:
                answer = await self._ask(f"{url}/_peer/{ROWS}/{partition}?q={asked.hex()}")
                if isinstance(answer, bytes):
                    return _pages.decode(answer)
                why = answer
            if self._owners:
                await asyncio.sleep(TRY_SECONDS)
            self._owners = await self._workers()
        raise Unreadable(f"partition {partition} cannot be read: {why}")

    async def _ask(self, url: str) -> bytes | str:
        """The page, or why not now."""
        try:
            async with self._http.get(url, timeout=aiohttp.ClientTimeout(PAGE_SECONDS_MAX)) as answer:
                if answer.status == 200:
                    return await answer.read()
                if answer.status in (401, 403):
                    raise Unreadable("the workers have another key: set ONETRAIL_PII_KEY, or ONETRAIL_DATA, as for them")
                return f"{answer.url.origin()} answers {answer.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"nobody answers: {error!r}"


def keep(ledger: Ledger, rows: Rows) -> None:
    """Rows of the workers as rows of the ledger."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for key, body in rows:
        for name, row in said(key, body):
            found.setdefault(name, []).append(row)
    for name, kept in found.items():
        for batch in batches(kept):
            ledger.add(name, batch)


def said(key: bytes, body: bytes) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What a row says, as (table of the ledger, row)."""
    row, name = codec.decode(key, body), key[2:].decode()
    if isinstance(row, Node):
        since = row.history[0].since if row.history else -1
        yield "nodes", (name, row.uid, row.erased_at, since)
    elif isinstance(row, Cluster):
        yield "clusters", (name, row.state, row.into)
        yield from _content(name, row.content)
    elif isinstance(row, Request):
        yield "request_rows", (name, row.state, row.detail)
    elif isinstance(row, Header):
        moving = int(row.sweep is not None)
        yield "headers", (name, row.state, row.summary.events, row.aged.events, row.listed_since, moving)
    elif isinstance(row, Entry):
        occurred, event_id = place_of(key)
        received = _head.decode(row.body).received_at
        click = (row.subject or None, gap_of(row.subject) if row.subject else None, row.repeats)
        yield "entries", (uid_of(key), event_id, occurred, received, row.anchor, digest(row.body), *click)


def _content(uid: str, content: Content) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for key, member in content.members.items():
        yield "members", (uid, key, member.namespace, member.name)
    for pair, proof in content.links.items():
        yield "links", (uid, *pair, min(sample.received_at for sample in proof.samples))
    for pair in content.refused:
        yield "refusals", pair
