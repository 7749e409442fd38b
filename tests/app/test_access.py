"""Who may ask a worker what: a small application behind the same middlewares."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from app.access import Access, caller_of, is_masked
from app.settings import Settings
from app.tokens import Caller, Tokens, peer_token
from app.web import errors, json_response

GIVEN = {"ONETRAIL_READ_TOKEN": "read", "ONETRAIL_ADMIN_TOKEN": "admin", "ONETRAIL_PII_KEY": "sixteen letters!"}
SETTINGS = Settings.from_environment(GIVEN)
COOKIE = "session"

Client = TestClient[web.Request, web.Application]


async def told(request: web.Request) -> web.Response:
    caller = caller_of(request)
    return json_response({"caller": caller and caller.name, "masked": is_masked(request)})


def session(request: web.Request) -> Caller | None:
    """As a console would: a credential that is good below its own paths only."""
    is_ours = request.path.startswith("/console/") and COOKIE in request.cookies
    return Caller("somebody", frozenset({"read_masked"})) if is_ours else None


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    access = Access(Tokens(SETTINGS), frozenset({"/healthz"}))
    access.trust(session)
    access.open("/console/static/")
    application = web.Application(middlewares=[errors, access.middleware])
    for path in ("/healthz", "/v1/users/{uid}", "/_peer/{question}/{partition}", "/console/status", "/console/static/{file}"):
        application.router.add_get(path, told)
    application.router.add_post("/v1/links", told)
    async with TestClient(TestServer(application)) as started:
        yield started


async def status(client: Client, path: str, token: str | None, method: str = "GET") -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with client.request(method, path, headers=headers) as answer:
        return answer.status


PEER = peer_token(SETTINGS)


@pytest.mark.parametrize(
    ("path", "token", "method", "expected"),
    [
        ("/healthz", None, "GET", 200),
        ("/v1/users/u_1", None, "GET", 401),
        ("/v1/users/u_1", "wrong", "GET", 401),
        ("/v1/users/u_1", "\udcff", "GET", 401),
        ("/v1/users/u_1", "read", "GET", 200),
        ("/v1/users/u_1", "admin", "GET", 200),
        ("/v1/users/u_1", PEER, "GET", 403),
        ("/v1/links", None, "POST", 401),
        ("/v1/links", "read", "POST", 403),
        ("/v1/links", "admin", "POST", 200),
        ("/v1/links", PEER, "POST", 403),
        ("/_peer/node/1", "read", "GET", 403),
        ("/_peer/node/1", "admin", "GET", 403),
        ("/_peer/node/1", PEER, "GET", 200),
        ("/%5Fpeer/node/1", "read", "GET", 403),
        ("/nothing/here", None, "GET", 401),
        ("/nothing/here", "read", "GET", 404),
        ("/healthz/../v1/users/u_1", None, "GET", 401),
        ("/healthz%2F..%2Fv1", None, "GET", 401),
        ("/console/static/page.js", None, "GET", 200),
        ("/console/static/..%2Fstatus", None, "GET", 200),
        ("/console/status", None, "GET", 401),
    ],
)
async def test_a_path_is_for_those_who_may(client: Client, path: str, token: str | None, method: str, expected: int) -> None:
    assert await status(client, path, token, method) == expected


async def test_a_credential_of_another_kind_is_good_where_its_reader_says(client: Client) -> None:
    cookies = {"Cookie": f"{COOKIE}=1"}
    async with client.get("/console/status", headers=cookies) as answer:
        assert await answer.json() == {"caller": "somebody", "masked": True}
    async with client.get("/v1/users/u_1", headers=cookies) as answer:
        assert answer.status == 401


async def test_nobody_in_particular_sees_masked_values(client: Client) -> None:
    async with client.get("/healthz") as answer:
        assert await answer.json() == {"caller": None, "masked": True}


async def test_a_refusal_says_what_to_send(client: Client) -> None:
    async with client.get("/v1/users/u_1") as answer:
        assert (answer.headers["WWW-Authenticate"], (await answer.json())["error"]["code"]) == ("Bearer", "unauthorized")
