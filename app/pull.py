"""Asks business systems what they know of a person: all of them at once, each about its own identifiers only.

Every system has connections of its own, and a time for all its pages together; so one that hangs takes nothing from the
others, and an answer is never later than the slowest time-out. What goes wrong is a status, never an exception, and what had
arrived before stays. Addresses come from the configuration alone: a redirect is not followed.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Literal, NamedTuple

import aiohttp
from yarl import URL

from app.config import System
from app.settings import token
from models.display import rfc3339
from models.ids import Identifier
from models.pulled import Page, page

log = logging.getLogger(__name__)

Status = Literal["ok", "timeout", "error"]
PAGES_MAX = 20
"""For each identifier."""
PAGE_BYTES_MAX = 16 << 20
SYSTEM_BYTES_MAX = 4 * PAGE_BYTES_MAX
"""Of all pages of one question together."""
CONNECTIONS_MAX = 16
"""To one system at once."""
CHUNK_BYTES = 1 << 16


class Found(NamedTuple):
    """An event as it came, and the identifier that was asked about."""

    asked: Identifier
    raw: bytes


class Answer(NamedTuple):
    """What one system said."""

    system: str
    status: Status
    took_ms: int
    found: tuple[Found, ...]


class Span(NamedTuple):
    """The time asked about: `since` inclusive, `before` exclusive, in UTC milliseconds; None = no bound."""

    since: int | None = None
    before: int | None = None


class Refused(Exception):
    """An answer that breaks the contract of connectors."""


def tokens_of(systems: Mapping[str, System]) -> dict[str, str]:
    """Name of a system -> the token that it wants, for those that want one. Raises `SettingsError` for a variable not set."""
    return {system.name: token(system.token_env) for system in systems.values() if system.token_env is not None}


class Puller:
    """The configured systems. `tokens`: name of a system -> what it wants as bearer token."""

    def __init__(self, systems: Mapping[str, System], tokens: Mapping[str, str]) -> None:
        self._systems = systems
        self._tokens = tokens
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def ask(self, identifiers: Iterable[Identifier], span: Span) -> list[Answer]:
        """The answers of the systems that know one of these namespaces, in the order of the configuration."""
        held = list(identifiers)
        own = {system.name: [each for each in held if each.namespace == system.namespace] for system in self._systems.values()}
        return await asyncio.gather(*(self._ask(self._systems[name], mine, span) for name, mine in own.items() if mine))

    async def close(self) -> None:
        """Ends all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def _ask(self, system: System, identifiers: list[Identifier], span: Span) -> Answer:
        clock = asyncio.get_running_loop().time
        begun = clock()
        question = _Question(system, self._session(system), span)
        status: Status
        try:
            async with asyncio.timeout(system.timeout_ms / 1_000):
                complete = await asyncio.gather(*map(question.about, identifiers))
            status = "ok" if all(complete) else "error"
        except TimeoutError:
            status = "timeout"
        return Answer(system.name, status, round((clock() - begun) * 1_000), tuple(question.found))

    def _session(self, system: System) -> aiohttp.ClientSession:
        session = self._sessions.get(system.name)
        if session is None:
            bearer = self._tokens.get(system.name)
            session = self._sessions[system.name] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={} if bearer is None else {"Authorization": f"Bearer {bearer}"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            )
        return session


class _Question:
    """One question to one system, and what it has found so far."""

    def __init__(self, system: System, session: aiohttp.ClientSession, span: Span) -> None:
        self._system, self._session = system, session
        self._url, self._bytes = URL(system.url), 0
        times = {"from": span.since, "to": span.before}
        self._times = {name: rfc3339(at, UTC) for name, at in times.items() if at is not None}
        self.found: list[Found] = []

    async def about(self, asked: Identifier) -> bool:
        """Asks page by page; whether all of them came."""
        try:
            await self._walk(asked)
        except (Refused, aiohttp.ClientError, OSError, ValueError) as error:
            # Only the kind: the text may hold the address, which names a person.
            log.warning("system %s: %s", self._system.name, error if isinstance(error, Refused) else type(error).__name__)
            return False
        return True

    async def _walk(self, asked: Identifier) -> None:
        query = {"namespace": asked.namespace, "value": asked.value, **self._times}
        for _ in range(PAGES_MAX):
            answer = await self._page(query)
            self.found += [Found(asked, bytes(raw)) for raw in answer.events]
            if answer.next is None or answer.next == "":
                return
            query["cursor"] = str(answer.next)

    async def _page(self, query: Mapping[str, str]) -> Page:
        async with self._session.get(self._url.update_query(query), allow_redirects=False) as response:
            if response.status != 200:
                raise Refused(f"answered with status {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                self._bytes += len(chunk)
                if len(body) > PAGE_BYTES_MAX or self._bytes > SYSTEM_BYTES_MAX:
                    raise Refused(f"answered with more than {PAGE_BYTES_MAX} bytes, or {SYSTEM_BYTES_MAX} in all")
        answer = page(bytes(body))
        if answer is None:
            raise Refused("answered with something that is no page of events")
        return answer
