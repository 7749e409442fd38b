"""Operator requests over HTTP: links, unlinks, erasures, and how they went. They are records in the log like all else."""

import asyncio
import secrets

from aiohttp import web

from app.asking import found, sighting
from app.bodies import erasure, pair
from app.instance import REQUESTS, app
from app.lookups import Lookup, people
from app.runtime.durable import Record
from app.web import Refusal, json_response
from models.requests import Asked, ErasureAsked, LinkAsked, UnlinkAsked, encode

SEEN_SECONDS, SEEN_TRIES_MAX = 0.01, 200
"""How often an answer looks whether the request can be asked for; the request itself is in the log by then."""


@app.page("/v1/links")
class LinksView(Lookup):
    """These two are one person."""

    async def post(self, request: web.Request) -> web.Response:
        body = pair(await request.read())
        a, b = sighting(body.a.namespace, body.a.value), sighting(body.b.namespace, body.b.value)
        _refuse_same(a.key, b.key)
        return await _send(LinkAsked(request_id(), a, b, body.reason))


@app.page("/v1/unlinks")
class UnlinksView(Lookup):
    """These two are not one person."""

    async def post(self, request: web.Request) -> web.Response:
        body = pair(await request.read())
        a, b = sighting(body.a.namespace, body.a.value).key, sighting(body.b.namespace, body.b.value).key
        _refuse_same(a, b)
        return await _send(UnlinkAsked(request_id(), a, b, body.reason))


@app.page("/v1/erasures")
class ErasuresView(Lookup):
    """Forget this person."""

    async def post(self, request: web.Request) -> web.Response:
        body = erasure(await request.read())
        return await _send(ErasureAsked(request_id(), sighting(body.namespace, body.value).key, body.reason))


@app.page("/v1/requests/{request_id}")
class RequestView(Lookup):
    """How a request went."""

    async def get(self, request: web.Request, request_id: str) -> web.Response:
        row = found(await people.request(request_id), f"request {request_id}")
        return json_response({"request_id": request_id, "state": row.state, "detail": row.detail})


def request_id() -> str:
    """A name that nobody had before."""
    return secrets.token_urlsafe(16)


def _refuse_same(a: str, b: str) -> None:
    if a == b:
        raise Refusal("bad_request", "a and b are the same identifier")


async def _send(asked: Asked) -> web.Response:
    """202 once it is placed."""
    await place(asked)
    return json_response({"request_id": asked.request_id}, 202)


async def place(asked: Asked) -> None:
    """Returns when the request is in the log, and as a rule already known under its id."""
    await app.durable.publish([Record(REQUESTS, asked.request_id.encode(), encode(asked))], [])
    for _ in range(SEEN_TRIES_MAX):
        if await people.request(asked.request_id) is not None:
            break
        await asyncio.sleep(SEEN_SECONDS)
