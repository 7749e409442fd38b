"""What all HTTP answers of a worker have in common: how they are written, and how an error looks.

`{"error": {"code": ..., "message": ...}}` for every fault, unknown paths and methods included; never a traceback.
"""

import logging
from collections.abc import Mapping

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

log = logging.getLogger(__name__)

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
LATER = frozenset({"not_ready", "rate_limited"})
"""Asking again helps."""
RETRY_AFTER_SECONDS = "1"
RECOVERED = "Onetrail-Recovered"
"""How much of its rows a worker that is not ready has read back, 0 to 1."""
_BROKEN = "this is not HTTP as it should be; a line of it has at most 8,190 bytes"
_encode = msgspec.json.Encoder().encode


class Refusal(Exception):
    """An answer that is an error: one of STATUS, and one sentence that says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def json_response(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=_encode(document), status=status, headers=headers, content_type="application/json", charset="utf-8")


def refuse(code: str, message: str, more: Mapping[str, str] | None = None) -> web.Response:
    """The answer to a refused request; `more` headers."""
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if code in LATER else {}
    if code == "unauthorized":
        headers = {"WWW-Authenticate": "Bearer"}
    return json_response({"error": {"code": code, "message": message}}, STATUS[code], {**headers, **(more or {})})


class Connection(web.RequestHandler):
    """A connection whose broken requests are answered in the usual shape, and not logged: their lines may hold anything.

    A request line or a header has at most 8,190 bytes, as aiohttp has it; what is longer reaches no handler.
    """

    __slots__ = ()

    @staticmethod
    def refused(refusal: Refusal) -> web.Response:
        """How it says no."""
        return refuse(refusal.code, str(refusal))

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun already")
        response = self.refused(Refusal("bad_request", _BROKEN) if status < 500 else Refusal("internal", "no answer"))
        response.force_close()
        return response


def route_of(request: web.Request) -> str:
    """The template of the route, which holds no value of the request, so that logs may name it; `-` where nothing is served."""
    resource = request.match_info.route.resource
    return "-" if resource is None else resource.canonical


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
        allowed = {"Allow": methods} if (methods := error.headers.get("Allow")) else None
        return refuse(_CODE.get(error.status, "bad_request"), f"{request.method} {request.path}: {error.reason}", allowed)
    except Exception:  # the edge of the worker: the fault is ours, is logged, and tells a stranger nothing
        log.exception("%s %s failed", request.method, route_of(request))
        return refuse("internal", "the worker failed to answer; its log has the reason")
