"""Who looked at whom, and who changed what: one record on the topic `audit` for every lookup and operator request.

    {"at": "2026-11-22T08:00:00.000Z", "who": "crm", "scopes": ["read_masked"], "method": "GET",
     "route": "/v1/journeys/{namespace}/{value}", "identifiers": ["phone:HMAC"], "unified_user_id": null, "request_id": null,
     "status": 200, "purpose": "ticket 4711", "worker": "w-1", "took_ms": 3}

A record names an identifier as outputs do, by its HMAC, and holds no raw value; `purpose` is what the caller said in `X-Purpose`.
Lookups do not wait for their record: it is sent with others a moment later, and lost only when Kafka is away for so long that
WAITING_MAX of them wait (`lost`). Whatever changes something is answered after its record is acknowledged; a caller who is told
`not_ready` because it was not sends the request again, which changes nothing twice. The topic is never compacted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.access import PEER_PATHS, READING, caller_of
from app.clock import now_ms
from app.config import Config, namespaces_of
from app.settings import Settings
from app.tokens import Caller
from app.web import refuse, route_of
from models.display import rfc3339
from models.ids import Identifier, IdentifierKey, key_of

log = logging.getLogger(__name__)

PURPOSE = "X-Purpose"
PURPOSE_LENGTH_MAX = 200
WAITING_MAX = 50_000
"""Records of lookups that wait for Kafka: some 20 MB."""
AT_ONCE = 500
LINGER_SECONDS = 0.2
ACK_SECONDS_MAX = 5.0
TAKEN = 202
"""What is answered to an operator request that is in the log."""

Send = Callable[[Sequence[bytes]], Awaitable[None]]
"""Returns when all records are acknowledged."""
_encode = msgspec.json.Encoder().encode


class About(NamedTuple):
    """Whom a request was about, where its path does not tell: what a view says of it with ABOUT."""

    uid: str | None = None
    identifiers: tuple[IdentifierKey, ...] = ()
    request_id: str | None = None


ABOUT = web.RequestKey("about", About)


class Entry(NamedTuple):
    """A record, and who waits for its acknowledgement."""

    record: bytes
    acknowledged: asyncio.Future[None] | None = None


class Trail:
    """Takes records from requests (`middleware`) and gives them to whoever sends (`deliver`)."""

    def __init__(self, settings: Settings, config: Config) -> None:
        self._worker, self._secret, self._namespaces = settings.worker, settings.pii_key, namespaces_of(config)
        self._waiting: deque[Entry] = deque()
        self._arrived, self._empty = asyncio.Event(), asyncio.Event()
        self._empty.set()
        self.written = self.lost = 0

    @property
    def waiting(self) -> int:
        """Records that are not acknowledged yet."""
        return len(self._waiting)

    @property
    def middleware(self) -> Middleware:
        """Writes down what is asked about somebody, and all that changes something."""

        @web.middleware
        async def audited(request: web.Request, handler: Handler) -> web.StreamResponse:
            began = asyncio.get_running_loop().time()
            response = await handler(request)
            caller = caller_of(request)
            if caller is None or not is_audited(request):
                return response
            took_ms = round((asyncio.get_running_loop().time() - began) * 1000)
            record = await self._record(request, caller, response.status, took_ms)
            if request.method in READING:
                self.note(record)
            elif not await self.write(record):
                return refuse("not_ready", "the audit could not be written; send the request again, it changes nothing twice")
            return response

        return audited

    def note(self, record: bytes) -> None:
        """One more record; lost when too many wait."""
        if len(self._waiting) >= WAITING_MAX:
            self._lose()
        else:
            self._put(Entry(record))

    async def write(self, record: bytes) -> bool:
        """Whether a record is acknowledged, in time; else it still waits."""
        entry = Entry(record, asyncio.get_running_loop().create_future())
        assert entry.acknowledged is not None
        self._put(entry)
        done, _ = await asyncio.wait([entry.acknowledged], timeout=ACK_SECONDS_MAX)
        return bool(done)

    async def deliver(self, send: Send) -> None:
        """Sends what waits, again and again if need be, for ever. One at a time."""
        while True:
            await self._arrived.wait()
            if not any(entry.acknowledged for entry in self._waiting):
                await asyncio.sleep(LINGER_SECONDS if len(self._waiting) < AT_ONCE else 0)
            batch = [entry for entry, _ in zip(self._waiting, range(AT_ONCE), strict=False)]
            await send([entry.record for entry in batch])
            for _ in batch:
                self._acknowledge(self._waiting.popleft())
            self.written += len(batch)
            if not self._waiting:
                self._arrived.clear()
                self._empty.set()

    async def drained(self) -> None:
        """Returns when nothing waits any more."""
        await self._empty.wait()

    def _put(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self._arrived.set()
        self._empty.clear()

    def _acknowledge(self, entry: Entry) -> None:
        if entry.acknowledged is not None and not entry.acknowledged.done():
            entry.acknowledged.set_result(None)

    def _lose(self) -> None:
        self.lost += 1
        if self.lost % 1_000 == 1:
            log.error("audit: %d records of lookups are lost; Kafka does not take what waits", self.lost)

    async def _record(self, request: web.Request, caller: Caller, status: int, took_ms: int) -> bytes:
        place, named = request.match_info, list(_named_in_path(request.match_info, request.query))
        if request.method not in READING and status == TAKEN:
            named += _named_in_body(await request.read())
        purpose = request.headers.get(PURPOSE, "").encode("utf-8", "replace").decode()[:PURPOSE_LENGTH_MAX]
        about = request.get(ABOUT, About())
        document = {
            "at": rfc3339(now_ms(), UTC),
            "who": caller.name,
            "scopes": sorted(caller.scopes),
            "method": request.method,
            "route": route_of(request),
            "identifiers": [*about.identifiers, *(key for name in named if (key := self._key(*name)) is not None)],
            "unified_user_id": place.get("uid", about.uid),
            "request_id": place.get("request_id", about.request_id),
            "status": status,
            "purpose": purpose or None,
            "worker": self._worker,
            "took_ms": took_ms,
        }
        return _encode(document)

    def _key(self, namespace: object, value: object) -> str | None:
        """As outputs name it; of what is no identifier, that something was asked that is none."""
        if not isinstance(namespace, str) or namespace not in self._namespaces.rules:
            return None
        identifier = self._namespaces.identifier(namespace, value)
        return key_of(self._secret, identifier) if isinstance(identifier, Identifier) else f"{namespace}:-"


def is_audited(request: web.Request) -> bool:
    """Whether a request is about somebody, or changes something; workers among themselves are not asked twice."""
    if route_of(request).startswith(PEER_PATHS):
        return False
    named = ABOUT in request or not {"namespace", "uid", "request_id"}.isdisjoint(request.match_info)
    return named or request.method not in READING


def _named_in_path(place: Mapping[str, str], query: Mapping[str, str]) -> Iterator[tuple[object, object]]:
    if "namespace" in place:
        yield place["namespace"], place.get("value")
    namespace, colon, value = query.get("to", "").partition(":")
    if colon:  # where `to` is a time, no namespace has its name
        yield namespace, value


def _named_in_body(body: bytes) -> Iterator[tuple[object, object]]:
    """The identifiers of an operator request that was taken."""
    asked: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    for named in (asked, asked.get("a"), asked.get("b")):
        if isinstance(named, dict) and "namespace" in named:
            yield named["namespace"], named.get("value")
