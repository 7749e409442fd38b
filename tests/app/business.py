"""Business systems as real HTTP servers on loopback, well-behaved and not, for whoever asks them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LONG_SECONDS = 30.0


@dataclass
class Business:
    """A system: where it is asked, and how it was asked (query and headers)."""

    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Business]:
    """A server for all paths."""
    business = Business()

    async def noted(request: web.Request) -> web.StreamResponse:
        business.asked.append(dict(request.query))
        business.headers.append(dict(request.headers))
        return await handler(request)

    application = web.Application()
    application.router.add_route("*", "/{any:.*}", noted)
    async with TestServer(application, handler_cancellation=True, shutdown_timeout=0.1) as server:
        business.url = str(server.make_url("/behaviours"))
        yield business


def knowing(events: dict[str, Sequence[dict[str, Any]]], page: int = 1_000) -> Handler:
    """Answers with the events of the value asked about, in pages; the cursor is the number of the next event."""

    async def handler(request: web.Request) -> web.StreamResponse:
        own, start = events.get(request.query["value"], ()), int(request.query.get("cursor", 0))
        following = str(start + page) if start + page < len(own) else None
        return web.json_response({"events": list(own[start : start + page]), "next": following})

    return handler


def saying(status: int = 200, body: bytes = b"", headers: dict[str, str] | None = None) -> Handler:
    """Answers always the same."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return handler


async def hanging(request: web.Request) -> web.StreamResponse:
    """Takes the request and says nothing."""
    await asyncio.sleep(LONG_SECONDS)
    return web.Response()


async def trickling(request: web.Request) -> web.StreamResponse:
    """Begins an answer that does not end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def breaking_off(request: web.Request) -> web.StreamResponse:
    """Hangs up in the middle of an answer."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"events":[')
    assert request.transport is not None
    request.transport.abort()
    return response


def padded(size: int) -> Handler:
    """Answers with a right page of one event, of so many bytes."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response, page = web.StreamResponse(), b'{"events":[{"event":"x"}],"next":null}'
        await response.prepare(request)
        left = size - len(page)
        while left:
            await response.write(b" " * min(left, 1 << 20))
            left -= min(left, 1 << 20)
        await response.write(page)
        return response

    return handler
