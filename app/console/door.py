"""The door of the console: who comes in, in which language, and what is shown when something cannot be.

Every page is a `Door`. It knows its visitor (a signed cookie, or nobody), demands the sign-in, the administrator for what changes
something, and with it the proof that our own page asked. A refusal is a page, or for the scripts of a page a part of one.
"""

import hmac
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import faust.web
from aiohttp import web

from app.access import CALLER
from app.audit import ABOUT, About
from app.clock import now_ms
from app.console.rendering import html
from app.console.session import COOKIE, Session, Sessions
from app.console.texts import HTML_LANG, LANGUAGE, LANGUAGES, Language, chosen
from app.instance import ZONE, access, settings, tokens
from app.lookups import MASKING
from app.routing import NotReady
from app.tokens import Caller, Token, digest_of
from app.web import STATUS, Refusal
from models.display import rfc3339
from models.ids import IdentifierKey
from models.masking import CLEAR, Mask

HOME = "/console/"
LANGUAGE_COOKIE = "onetrail_language"
LANGUAGE_SECONDS = 365 * 86_400
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf"
PART_HEADER = "X-Onetrail-Part"
RETRY_SECONDS = 2

sessions = Sessions(settings.pii_key)


class Visit(NamedTuple):
    """A request as the console sees it."""

    request: web.Request
    text: Language
    caller: Caller | None
    csrf: str
    is_part: bool
    """Asked by the script of a page, for a part of it."""

    def query(self, name: str) -> str:
        """A parameter; empty when it is not there."""
        return str(self.request.query.get(name, "")).strip()

    def show(self, template: str, status: int = 200, headers: dict[str, str] | None = None, **context: Any) -> web.Response:
        """A template with what all of them know."""
        known = {
            "t": self.text,
            "lang": HTML_LANG[self.text.code],
            "languages": LANGUAGES,
            "caller": self.caller,
            "csrf": self.csrf,
            "mask": Mask(MASKING) if self.is_masked else CLEAR,
            "when": partial(rfc3339, zone=ZONE),
            "here": self.request.path,
            "query": [(name, value) for name, value in self.request.query.items() if name != "lang"],
        }
        return html(template, status, headers, **{**known, **context})

    @property
    def is_masked(self) -> bool:
        """Whether this visitor sees personal values hidden."""
        return self.caller is None or self.caller.masked

    def about(self, uid: str | None = None, keys: Sequence[IdentifierKey] = (), request_id: str | None = None) -> None:
        """For the audit: whom this visit is about."""
        self.request[ABOUT] = About(uid, tuple(keys), request_id)


class Door(faust.web.View):
    """A page of the console. Subclasses answer `show` and `act`; `needs_caller` False is for who is not signed in yet."""

    needs_caller = True

    async def get(self, request: web.Request, **names: str) -> web.Response:
        """The page."""
        visit = visit_of(request)
        try:
            if self.needs_caller and visit.caller is None:
                return _not_signed_in(visit)
            return _remembered(visit, await self.show(visit, **names))
        except (Refusal, NotReady) as fault:
            return refused(visit, fault)

    async def post(self, request: web.Request, **names: str) -> web.Response:
        """What the page lets one do."""
        visit = visit_of(request)
        try:
            if self.needs_caller:
                await _demand(visit)
            return await self.act(visit, **names)
        except (Refusal, NotReady) as fault:
            return refused(visit, fault)

    async def show(self, visit: Visit, **names: str) -> web.Response:
        """Answers GET."""
        raise Refusal("method_not_allowed", visit.text("refusal.method"))

    async def act(self, visit: Visit, **names: str) -> web.Response:
        """Answers POST; the caller may change things, and our own page asked."""
        raise Refusal("method_not_allowed", visit.text("refusal.method"))


def holder(given: str) -> Token | None:
    """The token of this text, if it is one that people sign in with."""
    digest = digest_of(given.encode("utf-8", "surrogateescape"))
    return next((one for one in _usable() if hmac.compare_digest(one.digest, digest)), None)


def visit_of(request: web.Request) -> Visit:
    """Who comes, and how they want to be spoken to."""
    wanted = request.query.get("lang") or request.cookies.get(LANGUAGE_COOKIE, "")
    code = wanted if wanted in LANGUAGE else chosen(request.headers.get("Accept-Language", ""))
    session, caller = _session(request), request.get(CALLER)
    return Visit(request, LANGUAGE[code], caller, session.csrf if session else "", PART_HEADER in request.headers)


def refused(visit: Visit, fault: Refusal | NotReady) -> web.Response:
    """A fault as a page, or as a part of one."""
    code = "not_ready" if isinstance(fault, NotReady) else fault.code
    status = STATUS[code]
    headers = {"Retry-After": str(RETRY_SECONDS)} if code == "not_ready" else None
    template = "part_fault.html" if visit.is_part else "fault.html"
    return visit.show(template, status, headers, code=code, message=str(fault), phrase=HTTPStatus(status).phrase)


def is_secure(request: web.Request) -> bool:
    """Whether the visitor reaches us through TLS, here or at a proxy before us."""
    return "https" in (request.scheme, request.headers.get("X-Forwarded-Proto", ""), urlsplit(settings.web_url).scheme)


def _not_signed_in(visit: Visit) -> web.Response:
    """The sign-in; but a link from another site brings no strict cookie along, and the same page asked again does."""
    if visit.is_part:
        raise Refusal("unauthorized", visit.text("sign_in.over"))
    if visit.request.headers.get("Sec-Fetch-Site") == "cross-site":
        return visit.show("again.html", target=visit.request.path_qs)
    return _remembered(visit, visit.show("sign_in.html", target=visit.request.path_qs, failed=False))


def _remembered(visit: Visit, response: web.Response) -> web.Response:
    """A language that was chosen lasts."""
    if visit.request.query.get("lang") in LANGUAGE:
        response.set_cookie(
            LANGUAGE_COOKIE, visit.text.code, max_age=LANGUAGE_SECONDS, path=HOME, samesite="Strict", httponly=True
        )
    return response


def demand_own_page(visit: Visit) -> None:
    """Raises Refusal when another site asked; old browsers do not tell."""
    if visit.request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refusal("forbidden", visit.text("refusal.csrf"))


async def _demand(visit: Visit) -> None:
    if visit.caller is None:
        raise Refusal("unauthorized", visit.text("sign_in.over"))
    given = visit.request.headers.get(CSRF_HEADER) or str((await visit.request.post()).get(CSRF_FIELD, ""))
    if not visit.csrf or given != visit.csrf:
        raise Refusal("forbidden", visit.text("refusal.csrf"))


def demand_administrator(visit: Visit) -> None:
    """Raises Refusal for whoever may only read."""
    if visit.caller is None or not visit.caller.may_change:
        raise Refusal("forbidden", visit.text("refusal.administrator"))


def _usable() -> list[Token]:
    return [one for one in tokens.valid() if "peer" not in one.caller.scopes]


def _session(request: web.Request) -> Session | None:
    cookie = request.cookies.get(COOKIE, "")
    return sessions.read(cookie, [one.digest for one in _usable()], now_ms()) if cookie else None


def _cookie_caller(request: web.Request) -> Caller | None:
    """The reader of our credential; on our own pages only."""
    if not request.path.startswith(HOME):
        return None
    session = _session(request)
    return None if session is None else next((one.caller for one in _usable() if one.digest == session.digest), None)


access.open(HOME, HOME.rstrip("/"))
access.trust(_cookie_caller)
