"""What tokens see and leave behind, and what hostile requests get: two workers and a collector, asked over HTTP."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest
import pytest_asyncio
from click.testing import CliRunner

from app.broker import Broker
from app.commands import main
from app.commands.token import entry
from app.web import STATUS
from tests.real.collecting import Collector, taken
from tests.real.crowd import Behaviour
from tests.real.system import ADMIN, KEY, READ, Answer, System, path_of
from tests.real.visitor import behaviour
from tests.test_alarms import metrics_asked_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

MASKED, SLOW = "masked-of-tests", "slow-of-tests"
PHONE, MAIL, LANDLINE, IMEI, NAME = "13912345678", "li.lei@secret.example", "0757-22334455", "356938035643809", "张无忌"
NAMES = (("user_id", "42"), ("phone", PHONE), ("email", MAIL))
RAW = (PHONE, "139 1234 5678", "22334455", "2233 4455", "li.lei", "secret.example/", IMEI, NAME)
TEXTS = {"note": f"call 139 1234 5678 or {MAIL}, {IMEI}", "landline": "(0757) 2233 4455", "n": int(PHONE), "sku": "A-1"}
VISIT = behaviour(
    1, "web", "page_viewed", *NAMES, properties=TEXTS,
    traits={"name": NAME, "mobile": PHONE, "city": "佛山"},
    context={"page": {"url": f"https://shop/?phone=%2B86{PHONE}", "path": f"/u/{PHONE}"}},
)  # fmt: skip
CALL = behaviour(2, "hotline", "message_sent", ("user_id", "42"), ("phone", LANDLINE), properties={"from": LANDLINE})


class Case(NamedTuple):
    """The system, its file of tokens, and the person."""

    system: System
    tokens: Path
    uid: str
    logs: list[Path]
    collector: str


def tokens(*named: tuple[str, str, str], rate: float | None = None) -> str:
    return "".join(entry(name, token, (scope,), None, rate) for name, token, scope in named)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def case(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Case]:
    root = tmp_path_factory.mktemp("safety")
    file = root / "tokens.toml"
    file.write_text(tokens(("crm", MASKED, "read_masked")) + tokens(("slow", SLOW, "read"), rate=1))
    with Collector.run(broker, root, "safety") as collector:
        async with System.run(broker.bootstrap, "safety", root) as system:
            system.environment["ONETRAIL_TOKENS"] = str(file)
            workers = [system.worker()]
            system.environment["ONETRAIL_LOG"] = "json"
            workers.append(system.worker())
            for worker in workers:
                worker.start()
            await system.ready(*workers)
            collect(collector, VISIT)
            await system.tell([CALL])
            await system.settled()
            uid = (await system.known(path_of("identities", *NAMES[0])))["unified_user_id"]
            yield Case(system, file, uid, [collector.log, *(worker.log for worker in workers)], collector.url)


def collect(collector: Collector, told: Behaviour) -> None:
    assert taken(collector.url, json.loads(told.record))["accepted"] == 1


def lookups(uid: str) -> list[str]:
    """Every route that shows somebody."""
    phone = path_of("identities", "phone", PHONE)
    return [
        phone,
        f"{phone}/history",
        f"{phone}/explain?to=email:{MAIL}",
        f"/v1/users/{uid}",
        f"/v1/users/{uid}/journey",
        f"/v1/users/{uid}/sessions",
        path_of("journeys", "email", MAIL),
        path_of("journeys", "phone", LANDLINE) + "?live=true",
    ]


async def test_a_masked_token_sees_no_personal_value_on_any_route(case: Case) -> None:
    for path in lookups(case.uid):
        answer = await case.system.get(path, token=MASKED)
        assert answer.status == 200, path
        text = json.dumps(answer.body, ensure_ascii=False)
        assert [raw for raw in RAW if raw in text] == [], path


async def test_a_masked_token_sees_the_rest(case: Case) -> None:
    journey = (await case.system.get(path_of("journeys", "phone", PHONE), token=MASKED)).body
    assert {one["value"] for one in journey["identifiers"]} == {"42", "139****5678", "+86****4455", "l***@secret.example"}
    assert journey["traits"] == {"city": "佛山", "mobile": "139****5678", "name": "张****"}
    visit, call = journey["items"]
    assert (visit["properties"]["sku"], visit["properties"]["n"]) == ("A-1", "139****5678")
    assert call["identifiers"] == {"user_id": "42", "phone": "+86****4455"}


async def test_a_read_token_sees_values_as_they_are(case: Case) -> None:
    journey = await case.system.known(path_of("journeys", "phone", PHONE))
    assert {one["value"] for one in journey["identifiers"]} == {"42", f"+86{PHONE}", "+8675722334455", MAIL}
    assert journey["items"][0]["properties"] == TEXTS


async def test_a_masked_token_changes_nothing(case: Case) -> None:
    assert (await case.system.get("/v1/erasures", token=MASKED, method="POST", body=b"{}")).status == 403


async def test_tokens_are_replaced_without_a_restart(case: Case) -> None:
    old = case.tokens.read_text()
    case.tokens.write_text(old + tokens(("crm", "new-of-tests", "read_masked")))
    await until(case, "new-of-tests", 200)
    case.tokens.write_text(old)
    await until(case, "new-of-tests", 401)
    assert (await case.system.get("/v1/status", token=MASKED)).status == 200


async def until(case: Case, token: str, status: int) -> None:
    end = time.monotonic() + 20
    while [(await case.system.get("/v1/status", worker, token)).status for worker in case.system.workers] != [status] * 2:
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


async def test_who_asks_too_often_is_told_to_wait(case: Case) -> None:
    answers = [await case.system.get(f"/v1/users/{case.uid}", token=SLOW) for _ in range(12)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert is_shaped(refused[0])
    assert refused[0].headers["Retry-After"] == "1"
    assert (await case.system.get(f"/v1/users/{case.uid}")).status == 200, "others are not held up"


HOSTILE = [
    "/v1/identities/phone/..%2F..%2Fstatus",
    "/v1/identities/phone/%2e%2e",
    "/v1/identities/../status",
    "/v1/users/..%2f..%2f_peer%2fstatus",
    "/v1/identities/phone/%00",
    "/v1/identities/user_id/a%00b",
    "/v1/identities/%00/x",
    "/v1/identities/phone/%FF%FE",
    "/v1/identities/phone/%zz",
    "/v1//identities/phone/1",
    "//v1/status",
    "/v1/status/",
    "/v1/users/" + "u" * 3_000,
    "/v1/identities/user_id/" + "9" * 8_500,
    "/v1/journeys/phone/1?limit=" + "9" * 5_000,
    "/v1/journeys/phone/1?cursor=" + "A" * 4_000,
    "/v1/identities/user_id/" + "%F0%9F%98%80" * 500,
    "/_peer/status",
    "/_peer/node/99999999999999999999?q=zz",
]


@pytest.mark.parametrize("path", HOSTILE)
async def test_a_hostile_path_gets_an_error_of_the_usual_shape(case: Case, path: str) -> None:
    answer = await case.system.get(path)
    assert 400 <= answer.status < 500, answer
    assert is_shaped(answer)


async def test_what_is_too_large_is_refused(case: Case) -> None:
    body = json.dumps({"namespace": "phone", "value": "1", "reason": "x" * 100_000}).encode()
    for answer in (
        await case.system.get("/v1/erasures", token=ADMIN, method="POST", body=body),
        await case.system.get("/v1/status", token="t" * 9_000),
    ):
        assert answer.status in (400, 413)
        assert is_shaped(answer)


def is_shaped(answer: Answer) -> bool:
    return set(answer.body) == {"error"} and STATUS[answer.body["error"]["code"]] == answer.status


async def test_the_audit_tells_who_looked_at_whom(case: Case) -> None:
    await case.system.get(path_of("journeys", "phone", "139-1234-5678"), token=MASKED)
    await case.system.get(
        "/v1/links",
        token=ADMIN,
        method="POST",
        body=json.dumps({"a": {"namespace": "phone", "value": PHONE}, "b": {"namespace": "user_id", "value": "43"}}).encode(),
    )
    items = await audit(case, "--identifier", f"phone:+86 {PHONE}", "--who", "administrator")
    assert [(item["route"], item["status"], item["method"]) for item in items] == [("/v1/links", 202, "POST")], (
        "acknowledged before"
    )
    end = time.monotonic() + 20
    while not (items := await audit(case, "--identifier", f"phone:{PHONE}", "--who", "crm")):
        assert time.monotonic() < end
    assert "/v1/journeys/{namespace}/{value}" in {item["route"] for item in items}
    everything = json.dumps(await audit(case), ensure_ascii=False)
    assert [raw for raw in RAW if raw in everything] == []


async def audit(case: Case, *options: str) -> list[dict[str, Any]]:
    env = {"ONETRAIL_KAFKA": case.system.bootstrap, "ONETRAIL_PREFIX": "safety", "ONETRAIL_PII_KEY": KEY}
    done = await asyncio.to_thread(CliRunner(env=env).invoke, main, ["audit", "--json", *options])
    assert done.exit_code == 0, done.output
    items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    return items


async def test_every_metric_that_alarms_and_dashboard_ask_for_is_there(case: Case) -> None:
    worker = await case.system.known("/metrics")
    collector = await asyncio.to_thread(text_of, f"{case.collector}/metrics")
    there = set(re.findall(r"^# TYPE (\S+)", worker + collector, re.MULTILINE))
    assert {re.sub(r"_bucket$", "", name) for name in metrics_asked_for()} - there == set()


async def test_metrics_tell_what_happened_here(case: Case) -> None:
    texts = [(await case.system.get("/metrics", worker)).body for worker in case.system.workers]
    assert sum(value(text, "onetrail_visible_seconds_count") for text in texts) == 2
    assert sum(value(text, "onetrail_table_bytes") for text in texts) > 10_000
    assert sum(value(text, "onetrail_lag_records") for text in texts) == 0
    assert sum(value(text, "onetrail_audit_lost_total") for text in texts) == 0


def value(text: str, name: str) -> float:
    """The sum of a metric over its labels."""
    return sum(float(found) for found in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


def text_of(url: str) -> str:
    with urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


async def test_the_log_of_the_second_worker_is_json(case: Case) -> None:
    lines = [line for line in case.system.workers[1].log.read_text().splitlines() if line.startswith("{")]
    assert {"at", "level", "logger", "message"} <= set.intersection(*(set(json.loads(line)) for line in lines))


async def test_no_log_holds_a_personal_value_or_a_token(case: Case) -> None:
    for path in (
        path_of("identities", "phone", PHONE) + "/history?at=nonsense",
        f"/v1/journeys/email/{MAIL}?limit=0",
        f"/nothing/{PHONE}",
    ):
        assert (await case.system.get(path)).status in (400, 404)
    hidden = (*RAW, READ, ADMIN, MASKED, KEY)
    for log in case.logs:
        text = log.read_text(errors="replace")
        assert text
        assert [raw for raw in hidden if raw in text] == [], log.name
