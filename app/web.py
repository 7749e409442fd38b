"""What all HTTP answers of a worker have in common: who may ask, and how an error looks.

`{"error": {"code": ..., "message": ...}}` for every fault, unknown paths and methods included; never a traceback.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STATUS: Mapping[str, int] = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "too_large": 413,
    "unprocessable": 422,
    "rate_limited": 429,
    "internal": 500,
    "not_ready": 503,
}
_CODE = {status: code for code, status in STATUS.items()}
RETRY_AFTER_SECONDS = "1"
_encode = msgspec.json.Encoder().encode


class Refusal(Exception):
    """An answer that is an error: one of STATUS, and one sentence that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def json_response(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=_encode(document), status=status, headers=headers, content_type="application/json", charset="utf-8")


def refuse(code: str, message: str) -> web.Response:
    """The answer to a refused request."""
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if code == "not_ready" else None
    if code == "unauthorized":
        headers = {"WWW-Authenticate": "Bearer"}
    return json_response({"error": {"code": code, "message": message}}, STATUS[code], headers)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives every fault its shape."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refuse(refusal.code, str(refusal))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return refuse(_CODE.get(error.status, "bad_request"), f"{request.method} {request.path}: {error.reason}")
    except Exception:  # the edge of the worker: the fault is ours, is logged, and tells a stranger nothing
        log.exception("%s %s failed", request.method, request.path)
        return refuse("internal", "the worker failed to answer; its log has the reason")


def guard(read_token: str, admin_token: str, open_paths: frozenset[str]) -> Any:
    """The middleware that asks for a bearer token: paths that change something want the administrator's."""

    @web.middleware
    async def authorise(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in open_paths:
            return await handler(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode() if scheme.lower() == "bearer" else b""
        admin = hmac.compare_digest(given, admin_token.encode())
        if not admin and not hmac.compare_digest(given, read_token.encode()):
            raise Refusal("unauthorized", "send the read token: Authorization: Bearer <token>")
        if not admin and request.method not in ("GET", "HEAD"):
            raise Refusal("forbidden", "this changes something, so it needs the administrator's token")
        return await handler(request)

    return authorise
