"""What the collector says: JSON that SDKs understand, open to pages of every origin.

Browsers ask first what they may send (preflight). A write key in a page is public, no cookie is looked at, and nothing can be
read here; so any origin may send, with the headers that it asks for. Errors carry `code` and `message` a second time at
the top, where Segment's SDKs look for them: without it some take a refusal for a broken network and try for ever.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web

from app.web import LATER, RETRY_AFTER_SECONDS, STATUS, Refusal
from models.event import Reason

SENT_HEADERS = ("Authorization", "Content-Type", "Content-Encoding", "AnonymousId", "X-Retry-Count", "X-Write-Key", "Keep-Alive")
PREFLIGHT_SECONDS = "86400"

_JSON = "application/json; charset=utf-8"
_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")
_encode = msgspec.json.Encoder().encode


def json(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=_encode(document), status=status, headers={"Content-Type": _JSON, **(headers or {})})


def verdicts(accepted: int, rejected: Sequence[tuple[int, Reason]]) -> web.Response:
    """The answer to a request whose accepted events are durable."""
    reasons = [{"index": index, "reason": reason} for index, reason in rejected]
    return json({"success": True, "accepted": accepted, "rejected": reasons})


def refusal(refused: Refusal, headers: Mapping[str, str] | None = None) -> web.Response:
    """The answer to a request that is not taken. No WWW-Authenticate: a browser would ask the visitor for a password."""
    what = {"code": refused.code, "message": str(refused)}
    retry = {"Retry-After": RETRY_AFTER_SECONDS} if refused.code in LATER else {}
    return json({"error": what, **what}, STATUS[refused.code], {**retry, **(headers or {})})


def preflight(request: web.BaseRequest, methods: str) -> web.Response:
    """What a page may send."""
    asked = request.headers.get("Access-Control-Request-Headers", "")
    allowed = ", ".join([*SENT_HEADERS, *([asked] if _HEADER_NAMES.fullmatch(asked) else [])])
    headers = {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": allowed,
        "Access-Control-Max-Age": PREFLIGHT_SECONDS,
        "Allow": methods,
    }
    return web.Response(status=204, headers=headers)


def opened(response: web.Response, request: web.BaseRequest) -> web.Response:
    """The answer, readable for the page that asked."""
    origin = request.headers.get("Origin")
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
        response.headers.setdefault("Vary", "Origin")
    return response
