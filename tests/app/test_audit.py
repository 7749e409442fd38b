"""The audit: what is written down of a request, who waits for it, and what happens while Kafka is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from app import audit
from app.access import Access
from app.audit import Trail
from app.config import load
from app.settings import PACKAGED_CONFIG, Settings
from app.tokens import Tokens, peer_token
from app.web import Refusal, errors, json_response
from models.ids import Identifier, key_of

KEY = "sixteen letters!"
SETTINGS = Settings.from_environment(
    {"ONETRAIL_READ_TOKEN": "read", "ONETRAIL_ADMIN_TOKEN": "admin", "ONETRAIL_PII_KEY": KEY, "ONETRAIL_WORKER": "w-1"}
)
PHONE = "+8613800138000"
PHONE_KEY = key_of(KEY.encode(), Identifier("phone", PHONE))
USER_KEY = key_of(KEY.encode(), Identifier("user_id", "42"))


class Desk:
    """A worker's web application over a Kafka that acknowledges when it is told to."""

    def __init__(self, client: TestClient[web.Request, web.Application], trail: Trail) -> None:
        self.client, self.trail = client, trail
        self.kafka = asyncio.Event()
        self.kafka.set()
        self.records: list[dict[str, Any]] = []

    async def send(self, records: Sequence[bytes]) -> None:
        await self.kafka.wait()
        self.records += map(json.loads, records)

    async def ask(self, path: str, token: str = "read", body: object = None, **headers: str) -> int:
        method = "GET" if body is None else "POST"
        headers["Authorization"] = f"Bearer {token}"
        async with self.client.request(method, path, json=body, headers=headers) as answer:
            return answer.status

    async def told(self) -> list[dict[str, Any]]:
        await self.trail.drained()
        return self.records


async def looked_up(request: web.Request) -> web.Response:
    if request.match_info["value"] == "nobody":
        raise Refusal("not_found", "nobody")
    return json_response({})


async def taken(request: web.Request) -> web.Response:
    await request.read()
    return json_response({}, 202)


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(audit, "LINGER_SECONDS", 0.0)
    monkeypatch.setattr(audit, "ACK_SECONDS_MAX", 0.05)
    trail = Trail(SETTINGS, load(PACKAGED_CONFIG))
    application = web.Application(
        middlewares=[trail.middleware, errors, Access(Tokens(SETTINGS), frozenset({"/healthz"})).middleware]
    )
    for path in ("/v1/journeys/{namespace}/{value}", "/v1/identities/{namespace}/{value}/explain"):
        application.router.add_get(path, looked_up)
    for path in ("/healthz", "/v1/status", "/_peer/{question}/{partition}"):
        application.router.add_get(path, taken)
    application.router.add_get("/v1/users/{uid}", taken)
    application.router.add_post("/v1/links", taken)
    application.router.add_post("/v1/erasures", taken)
    async with TestClient(TestServer(application)) as client:
        made = Desk(client, trail)
        delivery = asyncio.create_task(trail.deliver(made.send))
        yield made
        delivery.cancel()


async def test_a_lookup_leaves_who_what_when_and_why(desk: Desk) -> None:
    assert await desk.ask("/v1/journeys/phone/138%200013%208000", **{"X-Purpose": "ticket 4711"}) == 200
    (record,) = await desk.told()
    assert (record["who"], record["scopes"], record["worker"]) == ("reader", ["read"], "w-1")
    assert (record["method"], record["route"], record["identifiers"]) == ("GET", "/v1/journeys/{namespace}/{value}", [PHONE_KEY])
    assert (record["status"], record["purpose"]) == (200, "ticket 4711")
    assert record["at"].endswith("+00:00")


async def test_no_record_holds_the_value_that_was_asked_for(desk: Desk) -> None:
    await desk.ask("/v1/journeys/phone/13800138000")
    await desk.ask("/v1/identities/user_id/42/explain?to=phone:13800138000")
    records = await desk.told()
    assert records[1]["identifiers"] == [USER_KEY, PHONE_KEY]
    assert "13800138000" not in json.dumps(records)


async def test_what_was_not_found_or_not_allowed_is_written_down_too(desk: Desk) -> None:
    assert await desk.ask("/v1/journeys/user_id/nobody") == 404
    assert await desk.ask("/v1/links", body={}) == 403
    assert [(record["route"], record["status"]) for record in await desk.told()] == [
        ("/v1/journeys/{namespace}/{value}", 404),
        ("/v1/links", 403),
    ]


async def test_an_operators_request_names_whom_it_is_about(desk: Desk) -> None:
    phone, user = {"namespace": "phone", "value": PHONE}, {"namespace": "user_id", "value": 42}
    await desk.ask("/v1/links", "admin", {"a": phone, "b": user})
    await desk.ask("/v1/erasures", "admin", phone)
    assert [record["identifiers"] for record in await desk.told()] == [[PHONE_KEY, USER_KEY], [PHONE_KEY]]


async def test_a_uid_is_named_as_it_is(desk: Desk) -> None:
    await desk.ask("/v1/users/u_1")
    assert [record["unified_user_id"] for record in await desk.told()] == ["u_1"]


async def test_what_is_about_nobody_leaves_nothing(desk: Desk) -> None:
    for path, token in (
        ("/v1/status", "read"),
        ("/healthz", "read"),
        ("/v1/users/u_1", "wrong"),
        ("/_peer/node/1", peer_token(SETTINGS)),
    ):
        await desk.ask(path, token)
    assert await desk.told() == []


async def test_a_lookup_does_not_wait_while_kafka_is_away(desk: Desk) -> None:
    desk.kafka.clear()
    assert await desk.ask("/v1/journeys/phone/13800138000") == 200
    assert desk.records == []
    desk.kafka.set()
    assert len(await desk.told()) == 1


async def test_what_changes_something_is_not_answered_before_it_is_written_down(desk: Desk) -> None:
    desk.kafka.clear()
    assert await desk.ask("/v1/erasures", "admin", {"namespace": "phone", "value": PHONE}) == 503
    desk.kafka.set()
    assert await desk.ask("/v1/erasures", "admin", {"namespace": "phone", "value": PHONE}) == 202
    assert len(await desk.told()) == 2


async def test_lookups_beyond_what_may_wait_are_counted_as_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "WAITING_MAX", 3)
    desk.kafka.clear()
    for _ in range(5):
        assert await desk.ask("/v1/journeys/phone/13800138000") == 200
    assert (desk.trail.waiting, desk.trail.lost) == (3, 2)
    desk.kafka.set()
    assert len(await desk.told()) == 3
