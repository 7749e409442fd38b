"""Every route of the lookups, asked of a worker over HTTP: shapes, values, errors, pages."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

import pytest
import pytest_asyncio

from app.broker import Broker
from tests.real.judge import agrees
from tests.real.system import ADMIN, Answer, System, path_of
from tests.real.visitor import CALL, CART, COOKIE, DEVICE, JOIN, PHONE, T0, VISIT, behaviour

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
MANY = 230


class Case(NamedTuple):
    """The system, and the uid that the person had by the cookie and by the phone before they were known to be one."""

    system: System
    by_cookie: str
    by_phone: str


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def case(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Case]:
    async with System.run(broker.bootstrap, "lookups", tmp_path_factory.mktemp("lookups")) as system:
        await system.started()
        uids = []
        for told, name in (([VISIT], COOKIE), ([CART, CALL], PHONE), ([JOIN], COOKIE)):
            await system.tell(told)
            await system.settled()
            uids.append((await system.known(path_of("identities", *name)))["unified_user_id"])
        assert uids[0] != uids[1]
        assert uids[2] == uids[0], "the elder survives"
        await system.tell(behaviour(100 + n, "store", f"kind_{n % 3}", ("user_id", "walker")) for n in range(MANY))
        await system.settled()
        yield Case(system, uids[0], uids[1])


def is_error(answer: Answer, status: int) -> bool:
    """Whether an answer is an error of the contract's shape."""
    assert answer.status == status, answer
    error = answer.body["error"]
    return set(answer.body) == {"error"} and set(error) == {"code", "message"} and error["code"] == CODES[status]


def instant(text: str) -> int:
    """UTC milliseconds of a time in an answer, which is shown in the zone of the configuration."""
    assert text.endswith("+08:00")
    assert len(text) == len("2026-11-22T16:00:00.123+08:00")
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


async def test_a_person_is_found_by_every_identifier_in_every_spelling(case: Case) -> None:
    spellings = [COOKIE, DEVICE, PHONE]
    spellings += [("phone", text) for text in ("13800138000", "138 0013 8000", "0086-138-0013-8000", "１３８００１３８０００")]
    for name in spellings:
        assert (await case.system.known(path_of("identities", *name)))["unified_user_id"] == case.by_cookie, name


async def test_an_identity_says_who_it_is_by_all_names(case: Case) -> None:
    before = await case.system.known(path_of("identities", *DEVICE))
    identifiers = {(one["namespace"], one["value"]): one for one in before["identifiers"]}
    assert set(before) >= {"unified_user_id", "created_at", "identifiers", "absorbed"}
    assert case.by_phone in before["absorbed"]
    assert case.by_cookie not in before["absorbed"]
    assert set(identifiers) == {COOKIE, PHONE, DEVICE}
    assert set(identifiers[PHONE]) == {"namespace", "value", "first_seen", "last_seen", "channels"}
    assert identifiers[PHONE]["channels"] == ["app", "hotline", "web"]
    assert (instant(identifiers[PHONE]["first_seen"]), instant(identifiers[PHONE]["last_seen"])) == (T0, JOIN.occurred_at)


async def test_a_uid_begins_with_u_and_needs_no_encoding(case: Case) -> None:
    assert case.by_cookie.startswith("u_")
    assert case.by_cookie.replace("_", "").replace("-", "").isalnum()


async def test_a_profile_says_what_follows_from_the_whole_journey(case: Case) -> None:
    profile = await case.system.known(f"/v1/users/{case.by_cookie}")
    assert profile["traits"] == {"city": "佛山"}
    assert (instant(profile["first_seen"]), instant(profile["last_seen"])) == (CALL.occurred_at, JOIN.occurred_at)
    assert (profile["events"], profile["channels"]) == (4, {"app": 1, "hotline": 1, "web": 2})
    assert profile["current_stage"] == "intent"
    stages = [(stage["name"], instant(stage["entered_at"]), stage["event_id"]) for stage in profile["stages"]]
    assert stages == [("visit", VISIT.occurred_at, "e1"), ("consult", CALL.occurred_at, "e0"), ("intent", CART.occurred_at, "e2")]


async def test_an_absorbed_uid_answers_through_its_survivor(case: Case) -> None:
    for path in ("", "/journey"):
        survivor = await case.system.known(f"/v1/users/{case.by_cookie}{path}")
        assert await case.system.known(f"/v1/users/{case.by_phone}{path}") == survivor
        assert survivor["unified_user_id"] == case.by_cookie


async def test_a_journey_shows_each_event_as_it_was_told(case: Case) -> None:
    page = await case.system.known(f"/v1/users/{case.by_cookie}/journey")
    call, visit, cart, join = page["items"]
    assert [item["event_id"] for item in page["items"]] == ["e0", "e1", "e2", "e3"]
    assert agrees(VISIT, visit)
    assert instant(visit["occurred_at"]) == VISIT.occurred_at < instant(visit["received_at"])
    assert (visit["business_system"], visit["context"]) == ("car_sales", VISIT.more["context"])
    assert (cart["event"], cart["properties"], cart["stage"]) == ("add_to_cart", CART.more["properties"], "intent")
    assert (call["identifiers"], call["business_system"]) == ({"phone": PHONE[1]}, None)
    assert join["identifiers"] == {"phone": PHONE[1], "anonymous_id": COOKIE[1]}
    assert page["next"] is None
    assert set(page) == {"unified_user_id", "items", "next"}


async def test_the_main_lookup_is_profile_and_journey_in_one(case: Case) -> None:
    profile = await case.system.known(f"/v1/users/{case.by_cookie}")
    page = await case.system.known(f"/v1/users/{case.by_cookie}/journey")
    assert await case.system.known(path_of("journeys", *COOKIE)) == {**profile, **page, "settled": True}


async def test_history_says_whose_an_identifier_was(case: Case) -> None:
    path = path_of("identities", *PHONE) + "/history"
    first, second = (await case.system.known(path))["items"]
    assert [first["unified_user_id"], second["unified_user_id"]] == [case.by_phone, case.by_cookie]
    assert first["to"] == second["from"]
    assert second["to"] is None
    moments = {case.by_phone: instant(first["to"]) - 1, case.by_cookie: instant(first["to"])}
    for uid, at in moments.items():
        then = await case.system.known(f"{path}?at={at}")
        assert (then["unified_user_id"], instant(then["at"])) == (uid, at)
    assert is_error(await case.system.get(f"{path}?at=2020-01-01T00:00:00Z"), 404)


async def test_explain_shows_the_links_between_two_identifiers_and_the_events_behind_them(case: Case) -> None:
    explained = await case.system.known(path_of("identities", *COOKIE) + "/explain?to=device_id:SN%2F0001")
    assert explained["connected"] is True
    ends = [step["identifiers"] for step in explained["path"]]
    assert ends == [[":".join(COOKIE), ":".join(PHONE)], [":".join(PHONE), ":".join(DEVICE)]]
    assert [[e["event_id"] for e in step["evidence"]] for step in explained["path"]] == [["e3"], ["e2"]]
    assert all(step["bridge"] for step in explained["path"])


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 7, 115, 1000])
async def test_a_walk_sees_every_event_once_and_in_order(case: Case, order: str, limit: int) -> None:
    if limit == 1:
        walked = await case.system.walk(path_of("journeys", *COOKIE), limit, f"&order={order}")
        expected = ["e0", "e1", "e2", "e3"]
    else:
        walked = await case.system.walk(path_of("journeys", "user_id", "walker"), limit, f"&order={order}")
        expected = [f"e{100 + n}" for n in range(MANY)]
    assert [item["event_id"] for item in walked] == (expected if order == "asc" else expected[::-1])


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_walk_sees_every_event_once_while_events_arrive(case: Case, order: str) -> None:
    name = ("user_id", f"busy-{order}")
    known = [behaviour(10_000 + 2 * n, "web", "seen", name) for n in range(150)]
    late = [behaviour(10_001 + 2 * n, "app", "late", name) for n in range(150)]
    await case.system.tell(known)
    await case.system.settled()
    telling = asyncio.create_task(case.system.tell(late, rate=300))
    walked = [item["event_id"] for item in await case.system.walk(path_of("journeys", *name), 5, f"&order={order}")]
    await telling
    assert len(walked) == len(set(walked))
    assert set(walked) >= {event.event_id for event in known}
    places = [int(event_id[1:]) for event_id in walked]
    assert places == sorted(places, reverse=order == "desc")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("from={t2}", ["e2", "e3"]),
        ("to={t2}", ["e0", "e1"]),
        ("from={t1}&to={t3}", ["e1", "e2"]),
        ("from={t1}&to={t3}&order=desc", ["e2", "e1"]),
        ("from={t3}&to={t1}", []),
        ("channel=web", ["e1", "e3"]),
        ("channel=web&channel=app", ["e1", "e2", "e3"]),
        ("channel=nowhere", []),
        ("event=add_to_cart", ["e2"]),
        ("event=login&channel=web&order=desc&limit=1", ["e3"]),
        ("from=2026-05-28T20:26:40.123Z&to=2026-05-29T04:27:40.123%2B08:00", ["e0"]),
        ("order=desc", ["e3", "e2", "e1", "e0"]),
    ],
)
async def test_a_journey_can_be_narrowed(case: Case, query: str, expected: list[str]) -> None:
    times = {f"t{n}": T0 + n * 60_000 for n in range(4)}
    for path in (f"/v1/users/{case.by_cookie}/journey", path_of("journeys", *PHONE)):
        page = await case.system.known(f"{path}?{query.format(**times)}")
        assert [item["event_id"] for item in page["items"]] == expected


@pytest.mark.parametrize(
    "query",
    [
        *(f"limit={limit}" for limit in ("0", "1001", "-1", "1.5", "many", "", "%EF%BC%91", "9" * 30)),
        *(f"cursor={cursor}" for cursor in ("x", "zzz", "%00", "%E5%AE%A2", "k80", "A" * 400)),
        *(f"from={time}" for time in ("x", "", "-1", "2026-02-30T00:00:00Z", "yesterday", "9" * 20)),
        "to=x",
        "order=up",
    ],
)
async def test_a_bad_parameter_is_a_bad_request(case: Case, query: str) -> None:
    for path in (f"/v1/users/{case.by_cookie}/journey", path_of("journeys", *PHONE)):
        assert is_error(await case.system.get(f"{path}?{query}"), 400)


@pytest.mark.parametrize(
    "path",
    [
        path_of("identities", "phone", "13900139000"),
        path_of("identities", "phone", "no number"),
        path_of("identities", "user_id", "null"),
        path_of("identities", "user_id", "x" * 600),
        path_of("identities", "user_id", "nobody") + "/history",
        path_of("journeys", "user_id", "nobody"),
        "/v1/users/u_" + "0" * 44,
        "/v1/users/u_" + "0" * 44 + "/journey",
        "/v1/users/u_x",
        "/v1/users/%00",
        "/v1/identities/anonymous_id/a/b",
        "/v1/identities/anonymous_id/%FF%FE",
        "/v1/users",
        "/v1",
        "/nothing",
        "/table/",
    ],
)
async def test_what_is_not_known_is_not_found(case: Case, path: str) -> None:
    assert is_error(await case.system.get(path), 404)


async def test_a_namespace_that_nobody_declared_is_told_apart(case: Case) -> None:
    assert is_error(await case.system.get("/v1/identities/shoe_size/42"), 400)


@pytest.mark.parametrize("token", [None, "", "wrong", "ü"])
@pytest.mark.parametrize("path", ["/v1/status", "/v1/users/u_x", "/nothing", "/v1/identities/phone/1"])
async def test_without_the_token_there_is_no_answer(case: Case, path: str, token: str | None) -> None:
    answer = await case.system.get(path, token=token)
    assert is_error(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_administrator_may_read(case: Case) -> None:
    assert (await case.system.get(f"/v1/users/{case.by_cookie}", token=ADMIN)).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_lookup_only_reads(case: Case, method: str) -> None:
    path = f"/v1/users/{case.by_cookie}"
    answer = await case.system.get(path, token=ADMIN, method=method)
    assert is_error(answer, 405)
    assert answer.headers["Allow"] == "GET,HEAD"
    assert is_error(await case.system.get(path, method=method), 403)


async def test_head_is_the_answer_without_its_body(case: Case) -> None:
    path = f"/v1/users/{case.by_cookie}"
    head, get = await case.system.get(path, method="HEAD"), await case.system.get(path)
    assert (head.status, head.body) == (200, "")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


async def test_status_counts_everything_once(case: Case) -> None:
    status = await case.system.settled()
    assert set(status) >= {"settled", "lag", "workers", "frozen_clusters", "events", "rejected"}
    assert (status["frozen_clusters"], status["rejected"]) == (0, {})
    assert status["events"] == 4 + MANY or status["events"] == 4 + MANY + 600
    assert set(status["lag"].values()) == {0}
    assert {"lookups.behaviour.web", "lookups.people.inbox"} <= set(status["lag"])
    assert [worker["partitions"] for worker in status["workers"]] == [list(range(8))]


@pytest.mark.parametrize(("path", "expected"), [("/healthz", {"status": "ok"}), ("/readyz", {"status": "ready"})])
async def test_health_and_readiness_need_no_token(case: Case, path: str, expected: dict[str, str]) -> None:
    assert (await case.system.get(path, token=None))[0::2] == (200, expected)


async def test_metrics_are_text_without_a_token_and_name_nobody(case: Case) -> None:
    answer = await case.system.get("/metrics", token=None)
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert 'onetrail_partitions{table="people"} 8.0' in answer.body
    assert "13800138000" not in answer.body


async def test_the_description_of_the_routes_is_that_of_the_routes(case: Case) -> None:
    described = (await case.system.get("/openapi.json", token=None)).body["paths"]
    for path in (path for path, operations in described.items() if "get" in operations and "{request_id}" not in path):
        asked = path.replace("{namespace}", "phone").replace("{value}", "13800138000").replace("{uid}", case.by_cookie)
        query = "?to=device_id:SN%2F0001" if path.endswith("/explain") else ""
        assert (await case.system.get(asked + query)).status == 200, path
