"""Who asks a worker, and whether he may: every request has a caller before a view sees it.

Credential readers are asked in turn; the first that knows the request names its caller (`caller_of`). The bearer token is one
of them; a door with credentials of its own, a console's signed cookie say, adds another with `access.trust`, and the pages that
anybody may load with `access.open`. What a caller may see follows from his scopes: `read` sees values as they are, all others
masked; whatever changes something needs `admin`; what workers ask each other is for workers alone.
"""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.tokens import Caller, Tokens
from app.web import Refusal, route_of

CALLER = web.RequestKey("caller", Caller)
PEER_PATHS = "/_peer/"
READING = ("GET", "HEAD")

CredentialReader = Callable[[web.Request], Caller | None]
"""Who asks, as this kind of credential tells; None when the request bears none of the kind, or one that is not good."""


def caller_of(request: web.Request) -> Caller | None:
    """Who asks; None on open paths, where nobody is asked to say."""
    return request.get(CALLER)


def is_masked(request: web.Request) -> bool:
    """Whether personal values are hidden from whoever asks; so they are from nobody in particular."""
    caller = caller_of(request)
    return caller is None or caller.masked


class Access:
    """The readers of credentials and the open paths of a worker; `middleware` holds them against every request."""

    def __init__(self, tokens: Tokens, open_paths: frozenset[str]) -> None:
        self._readers: list[CredentialReader] = [bearer(tokens)]
        self._open_paths, self._open_prefixes = set(open_paths), tuple[str, ...]()

    def trust(self, reader: CredentialReader) -> None:
        """One more way to say who one is, asked after those that are there."""
        self._readers.append(reader)

    def open(self, *paths: str) -> None:
        """Paths that need no caller; one that ends in `/` opens all below it."""
        self._open_paths.update(path for path in paths if not path.endswith("/"))
        self._open_prefixes = (*self._open_prefixes, *(path for path in paths if path.endswith("/")))

    @property
    def middleware(self) -> Middleware:
        """Names the caller; raises `Refusal` where he may not ask."""

        @web.middleware
        async def authorise(request: web.Request, handler: Handler) -> web.StreamResponse:
            caller = self._caller(request)
            if caller is not None:
                request[CALLER] = caller
            if not self._is_open(route_of(request)):
                _demand(request, caller)
            return await handler(request)

        return authorise

    def _caller(self, request: web.Request) -> Caller | None:
        return next((caller for reader in self._readers if (caller := reader(request)) is not None), None)

    def _is_open(self, route: str) -> bool:
        return route in self._open_paths or route.startswith(self._open_prefixes)


def bearer(tokens: Tokens) -> CredentialReader:
    """Reads `Authorization: Bearer <token>`."""

    def read(request: web.Request) -> Caller | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return tokens.caller(token.strip().encode("utf-8", "surrogateescape")) if scheme.lower() == "bearer" else None

    return read


def _demand(request: web.Request, caller: Caller | None) -> None:
    """Raises `Refusal` where this caller may not ask this."""
    if caller is None:
        raise Refusal("unauthorized", "send the read token: Authorization: Bearer <token>")
    if ("peer" in caller.scopes) != route_of(request).startswith(PEER_PATHS):
        raise Refusal("forbidden", "workers ask each other here; lookups begin with /v1/")
    if request.method not in READING and not caller.may_change:
        raise Refusal("forbidden", "this changes something, so it needs the administrator's token")
