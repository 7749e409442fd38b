"""Lookups with `live=true` on the whole chain: business systems of all kinds, a real broker, a worker as a process of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from app.broker import Broker
from app.settings import PACKAGED_CONFIG
from tests.app.business import Business, breaking_off, hanging, knowing, saying, serving
from tests.real.crowd import Behaviour
from tests.real.system import ADMIN, System, path_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

T0 = 1_780_000_000_000
MINUTE_MS = 60_000
MANY = 50_000
HANGING_MS = 400
UNIONS = 20


def told(event_id: str | None, minute: int, event: str = "order_paid", **more: Any) -> dict[str, Any]:
    """An event as a business system answers it."""
    named = {} if event_id is None else {"event_id": event_id}
    return {**named, "event": event, "occurred_at": T0 + minute * MINUTE_MS, **more}


def seen(event_id: str, minute: int, *names: tuple[str, str], channel: str = "web") -> Behaviour:
    return Behaviour(channel, event_id, "page_viewed", T0 + minute * MINUTE_MS, names)


ANNA = {
    "crm": [told("crm-1", 3), told("crm-2", 9)],
    "im": [told("im-1", 1, "message_sent"), told(None, 5, "message_sent"), told("im-3", 7, "message_sent", sent_at=T0 + 10**9)],
    "shop": [told(f"shop-{n}", 2 * n, "page_viewed") for n in range(5)],
}
BERT = {"crm": [told("stored-1", 50), told("bert-2", 2), told("bert-3", 2, identifiers={"phone": "139 0013 9000"})]}
CARL = {"crm": [told("carl-1", 1), {"event": "order_paid", "occurred_at": "yesterday"}, {"event_id": "carl-3"}, "no event"]}
DORA = {"crm": [told("dora-1", 1), told("dora-2", 2, identifiers={"user_id": "emil"})]}
MASSES = {"shop": [told(f"m-{n:05}", 0, "page_viewed", occurred_at=T0 + n) for n in range(MANY)]}
UNION = {"crm": [told("u3", 3), told("u1", 1)], "shop": [told("u5", 5, "page_viewed"), told("u2", 2)]}
PEOPLE: dict[str, dict[str, list[Any]]] = {"anna": ANNA, "bert": BERT, "carl": CARL, "dora": DORA, "masses": MASSES}
PEOPLE |= {f"union{number}": UNION for number in range(UNIONS)}


class Case(NamedTuple):
    """The system, and the business systems by name."""

    system: System
    business: dict[str, Business]


def known_by(name: str, namespace: str) -> dict[str, Sequence[Any]]:
    """What a system knows of all people, by the value of its own namespace."""
    return {f"{person}-{namespace}": told[name] for person, told in PEOPLE.items() if name in told}


NAMESPACES = {"crm": "member_id", "im": "wecom_external_userid", "shop": "anonymous_id"}
BROKEN = {"hanging": hanging, "broken": breaking_off, "down": saying(503)}


def configuration(business: dict[str, Business]) -> str:
    sections = [PACKAGED_CONFIG.read_text(encoding="utf-8")]
    for name, at in business.items():
        namespace = NAMESPACES.get(name, "email")
        timeout = HANGING_MS if name == "hanging" else 20_000
        sections.append(f'[systems.{name}]\nurl = "{at.url}"\nnamespace = "{namespace}"\ntimeout_ms = {timeout}\n')
    return "\n".join(sections) + 'token_env = "TOKEN_OF_TESTS"\n'


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def case(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Case]:
    root = tmp_path_factory.mktemp("pull")
    async with AsyncExitStack() as stack:
        handlers = {name: knowing(known_by(name, namespace), page=2_500) for name, namespace in NAMESPACES.items()}
        business = {name: await stack.enter_async_context(serving(handler)) for name, handler in (handlers | BROKEN).items()}
        system = await stack.enter_async_context(System.run(broker.bootstrap, "pull", root))
        system.configure(configuration(business))
        system.environment["TOKEN_OF_TESTS"] = "t0k"
        await system.started()
        people = [names(f"union{number}", "crm", "shop") for number in range(UNIONS)]
        await system.tell(seen(f"u{minute}", minute, *person) for person in people for minute in (0, 4, 6))
        await system.settled()
        yield Case(system, business)


def names(person: str, *systems: str) -> list[tuple[str, str]]:
    return [(NAMESPACES[system], f"{person}-{NAMESPACES[system]}") for system in systems]


async def arrives(case: Case, *behaviours: Behaviour) -> None:
    await case.system.tell(behaviours)
    await case.system.settled()


async def live(case: Case, name: tuple[str, str], query: str = "") -> Any:
    return await case.system.known(f"{path_of('journeys', *name)}?live=true{query}")


def ids(answer: Any) -> list[str]:
    return [item["event_id"] for item in answer["items"]]


def statuses(answer: Any) -> dict[str, tuple[str, int]]:
    assert all(set(source) == {"system", "status", "events", "took_ms"} for source in answer["sources"])
    return {source["system"]: (source["status"], source["events"]) for source in answer["sources"]}


def without_receipt(items: Any) -> Any:
    """Items without the time at which they came in: a pulled event has it anew when it is stored."""
    return [{name: value for name, value in item.items() if name != "received_at"} for item in items]


async def test_all_systems_together_are_one_journey_which_lasts(case: Case) -> None:
    anna = names("anna", "crm", "im", "shop")
    await arrives(case, seen("s-1", 100, *anna[:2]), seen("s-2", 101, *anna[1:]))
    answer = await live(case, anna[0])
    assert statuses(answer) == {"crm": ("ok", 2), "im": ("ok", 3), "shop": ("ok", 5)}
    unnamed = answer["items"][5]["event_id"]
    order = ["shop-0", "im-1", "shop-1", "crm-1", "shop-2", unnamed, "shop-3", "im-3", "shop-4", "crm-2", "s-1", "s-2"]
    assert ids(answer) == order
    assert [item["channel"] for item in answer["items"]][:4] == ["shop", "im", "shop", "crm"]
    assert (answer["events"], answer["channels"]) == (12, {"crm": 2, "im": 3, "shop": 5, "web": 2})
    assert answer["items"][3]["identifiers"] == {"member_id": "anna-member_id"}
    await case.system.settled()
    stored = await case.system.known(path_of("journeys", *anna[2]))
    assert "sources" not in stored
    assert without_receipt(stored["items"]) == without_receipt(answer["items"])
    assert ids(await live(case, anna[1])) == order
    await case.system.settled()
    assert (await case.system.known(path_of("journeys", *anna[1])))["events"] == 12


async def test_each_system_is_asked_about_its_own_identifiers_and_with_its_own_token(case: Case) -> None:
    await arrives(case, seen("gina", 1, ("member_id", "gina"), ("email", "gina@example.com"), ("phone", "13700137000")))
    asked = {name: len(business.asked) for name, business in case.business.items()}
    answer = await live(case, ("phone", "13700137000"), f"&from={T0}&to={T0 + 1}")
    assert set(statuses(answer)) == {"crm", *BROKEN}
    new = {name: business.asked[asked[name] :] for name, business in case.business.items()}
    assert [query["value"] for query in new["crm"]] == ["gina"]
    assert set(new["crm"][0]) == {"namespace", "value", "from", "to"}
    assert {query["value"] for name in BROKEN for query in new[name]} == {"gina@example.com"}
    assert new["im"] == new["shop"] == []
    tokens = {name: business.headers[-1].get("Authorization") for name, business in case.business.items() if business.headers}
    assert {name: token for name, token in tokens.items() if token is not None} == {"down": "Bearer t0k"}


async def test_broken_systems_take_nothing_away_and_an_event_that_is_stored_shows_once(case: Case) -> None:
    (bert,) = names("bert", "crm")
    await arrives(case, seen("stored-1", 1, bert, channel="store"), seen("b-2", 3, bert, ("email", "bert@example.com")))
    answer = await live(case, bert)
    broken = {"hanging": ("timeout", 0), "broken": ("error", 0), "down": ("error", 0)}
    assert statuses(answer) == {"crm": ("ok", 3), **broken}
    took = {source["system"]: source["took_ms"] for source in answer["sources"]}
    assert HANGING_MS <= took["hanging"] < HANGING_MS + 2_000
    assert ids(answer) == ["stored-1", "bert-2", "b-2"], "stored as it was told first; of another person: not shown"
    assert answer["items"][0]["channel"] == "store"
    await case.system.settled()
    assert ids(await case.system.known(path_of("journeys", *bert))) == ["stored-1", "bert-2", "b-2"]
    assert ids(await case.system.known(path_of("journeys", "phone", "13900139000"))) == ["bert-3"]


async def test_what_is_no_event_is_left_out_and_rejected_with_its_reason(case: Case) -> None:
    (carl,) = names("carl", "crm")
    await arrives(case, seen("c-1", 1, carl))
    for _ in range(2):
        answer = await live(case, carl)
        assert (statuses(answer), ids(answer)) == ({"crm": ("ok", 1)}, ["c-1", "carl-1"])
        await case.system.settled()
    rejected = [dict(record.headers) for record in await case.system.read("behaviour.rejected")]
    own = [headers["reason"] for headers in rejected if headers.get("system") == b"crm"]
    assert sorted(own) == [b"bad_time", b"missing_event", b"not_an_object"]


async def test_what_anybody_writes_into_the_topic_does_no_harm(case: Case) -> None:
    before = (await case.system.settled())["rejected"].get("internal", 0)
    for raw in (b'{"event":"x","identifiers":{"user_id":"7"}}', b"", b"null"):
        await case.system.put("behaviour.pulled", raw)
    assert (await case.system.settled())["rejected"]["internal"] == before + 3
    assert case.system.workers[0].starts == 1


fresh = iter(range(UNIONS))


def union() -> tuple[str, str]:
    """A person of whom each second event is stored, and of whom nobody has asked the systems yet."""
    return names(f"union{next(fresh)}", "crm")[0]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "u0 u1 u2 u3 u4 u5 u6"),
        ("&channel=shop", "u2 u5"),
        ("&channel=crm&channel=web&event=order_paid", "u1 u3"),
        (f"&from={T0 + 2 * MINUTE_MS}&to={T0 + 5 * MINUTE_MS}", "u2 u3 u4"),
    ],
)
async def test_both_together_are_narrowed_like_a_journey(case: Case, query: str, expected: str, order: str) -> None:
    found = ids(await live(case, union(), f"{query}&order={order}"))
    assert found == expected.split()[:: 1 if order == "asc" else -1]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_a_walk_sees_both_together_once_and_in_order(case: Case, limit: int, order: str) -> None:
    walked = await case.system.walk(path_of("journeys", *union()), limit, f"&live=true&order={order}")
    expected = [f"u{number}" for number in range(7)]
    assert [item["event_id"] for item in walked] == (expected if order == "asc" else expected[::-1])


@pytest.mark.parametrize("text", ["yes", "1", "", "TRUE"])
async def test_live_is_true_or_false(case: Case, text: str) -> None:
    answer = await case.system.get(f"{path_of('journeys', 'phone', '13700137000')}?live={text}")
    assert (answer.status, answer.body["error"]["code"]) == (400, "bad_request")


async def test_whoever_was_erased_is_not_brought_back(case: Case) -> None:
    (dora,) = names("dora", "crm")
    await arrives(case, seen("d-1", 1, dora))
    assert "dora-1" in ids(await live(case, dora))
    await erase(case, dora)
    assert (await case.system.get(f"{path_of('journeys', *dora)}?live=true")).status == 404
    await case.system.put("behaviour.web", json.dumps({"event_id": "new", "event": "x", "identifiers": dict([dora])}).encode())
    await case.system.settled()
    assert ids(await live(case, dora)) == ["new"]
    await case.system.settled()
    assert ids(await case.system.known(path_of("journeys", *dora))) == ["new"]


async def erase(case: Case, name: tuple[str, str]) -> None:
    await case.system.settled()
    body = {"namespace": name[0], "value": name[1]}
    headers = {"Authorization": f"Bearer {ADMIN}"}
    url = case.system.workers[0].url + "/v1/erasures"
    async with aiohttp.ClientSession(headers=headers) as http, http.post(url, json=body) as answer:
        assert answer.status == 202
    await case.system.settled()


async def test_fifty_thousand_events_come_and_others_are_answered_meanwhile(case: Case) -> None:
    (masses,) = names("masses", "shop")
    await arrives(case, seen("m", 0, masses), seen("other", 0, ("user_id", "other")))
    pulling = asyncio.create_task(live(case, masses, "&order=desc&limit=1000"))
    clock, slowest = asyncio.get_running_loop().time, 0.0
    began = clock()
    while not pulling.done():
        asked = clock()
        await case.system.known(path_of("journeys", "user_id", "other"))
        slowest = max(slowest, clock() - asked)
    answer = await pulling
    took = clock() - began
    assert statuses(answer) == {"shop": ("ok", MANY)}
    assert ids(answer) == [f"m-{n:05}" for n in range(MANY - 1, MANY - 1_001, -1)]
    assert slowest < took / 2, f"another lookup took {slowest:.1f} s of {took:.1f} s"
    await case.system.settled()
    assert (await case.system.known(path_of("journeys", *masses)))["events"] == MANY + 1
