"""Business systems are asked, over real HTTP: who is asked what, and what becomes of those that fail."""

import asyncio
import contextlib
import gzip
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.config import System
from app.pull import PAGE_BYTES_MAX, PAGES_MAX, Puller, Span, tokens_of
from app.settings import SettingsError
from models.ids import Identifier
from tests.app.business import (
    Business,
    Handler,
    breaking_off,
    hanging,
    knowing,
    padded,
    saying,
    serving,
    trickling,
)

ALWAYS = Span()
SEVEN, EIGHT = Identifier("order_user_id", "7"), Identifier("order_user_id", "8 &?客户😀")
PHONE = Identifier("phone", "+8613800138000")
ONE = {"event_id": "o-1", "event": "order_paid"}


@asynccontextmanager
async def asking(*systems: System, tokens: dict[str, str] | None = None) -> AsyncIterator[Puller]:
    puller = Puller({system.name: system for system in systems}, tokens or {})
    try:
        yield puller
    finally:
        await puller.close()


def orders(business: Business, timeout_ms: int = 5_000, **more: Any) -> System:
    return System(name="orders", url=business.url, namespace="order_user_id", timeout_ms=timeout_ms, **more)


async def answered(handler: Handler, timeout_ms: int = 5_000) -> tuple[str, int]:
    """The status of a system that answers so, and how many events it brought."""
    async with serving(handler) as business, asking(orders(business, timeout_ms)) as puller:
        (answer,) = await puller.ask([SEVEN], ALWAYS)
        return answer.status, len(answer.found)


async def test_a_system_is_asked_only_about_its_own_identifiers_about_each_of_them() -> None:
    async with serving(knowing({"7": [ONE], EIGHT.value: [ONE, ONE]})) as business, asking(orders(business)) as puller:
        (answer,) = await puller.ask([SEVEN, PHONE, EIGHT], ALWAYS)
    assert sorted(query["value"] for query in business.asked) == ["7", EIGHT.value]
    assert {query["namespace"] for query in business.asked} == {"order_user_id"}
    assert [found.asked for found in answer.found].count(EIGHT) == 2
    assert (answer.system, answer.status, len(answer.found)) == ("orders", "ok", 3)


async def test_a_system_that_cannot_know_the_person_is_not_asked() -> None:
    async with serving(knowing({})) as business, asking(orders(business)) as puller:
        assert await puller.ask([PHONE], ALWAYS) == []
    assert business.asked == []


async def test_the_time_is_passed_on_and_left_out_where_there_is_none() -> None:
    async with serving(knowing({})) as business, asking(orders(business)) as puller:
        await puller.ask([SEVEN], Span(1_780_000_000_123, 1_790_000_000_000))
        await puller.ask([SEVEN], ALWAYS)
    assert business.asked == [
        {
            "namespace": "order_user_id",
            "value": "7",
            "from": "2026-05-28T20:26:40.123+00:00",
            "to": "2026-09-21T14:13:20.000+00:00",
        },
        {"namespace": "order_user_id", "value": "7"},
    ]


async def test_an_address_keeps_its_own_query() -> None:
    async with serving(knowing({})) as business:
        system = System(name="orders", url=business.url + "?tenant=t%2F1&x=", namespace="order_user_id")
        async with asking(system) as puller:
            await puller.ask([SEVEN], ALWAYS)
    assert business.asked == [{"tenant": "t/1", "x": "", "namespace": "order_user_id", "value": "7"}]


async def test_a_token_goes_to_its_own_system_only() -> None:
    async with serving(knowing({})) as one, serving(knowing({})) as other:
        systems = [orders(one), System(name="crm", url=other.url, namespace="order_user_id")]
        async with asking(*systems, tokens={"orders": "secret"}) as puller:
            await puller.ask([SEVEN], ALWAYS)
    assert one.headers[0]["Authorization"] == "Bearer secret"
    assert "Authorization" not in other.headers[0]


def test_a_token_comes_from_the_variable_that_the_configuration_names(monkeypatch: pytest.MonkeyPatch) -> None:
    system = orders(Business("http://h/x"), token_env="ORDERS_TOKEN_OF_TESTS")
    monkeypatch.setenv("ORDERS_TOKEN_OF_TESTS", "t0k")
    assert tokens_of({"orders": system, "crm": orders(Business("http://h/y"))}) == {"orders": "t0k"}
    for bad in ("", "two words", "键"):
        monkeypatch.setenv("ORDERS_TOKEN_OF_TESTS", bad)
        with pytest.raises(SettingsError, match="ORDERS_TOKEN_OF_TESTS"):
            tokens_of({"orders": system})


async def test_pages_are_asked_for_until_there_is_no_next_one() -> None:
    events = [{**ONE, "event_id": str(number)} for number in range(50_000)]
    async with serving(knowing({"7": events}, page=2_500)) as business, asking(orders(business, 30_000)) as puller:
        (answer,) = await puller.ask([SEVEN], ALWAYS)
    assert (answer.status, len(answer.found), len(business.asked)) == ("ok", 50_000, PAGES_MAX)
    assert [query.get("cursor") for query in business.asked[:3]] == [None, "2500", "5000"]


async def test_pages_have_an_end_even_if_the_system_knows_none() -> None:
    endless = saying(body=b'{"events":[{"event":"x"}],"next":"again"}')
    async with serving(endless) as business, asking(orders(business)) as puller:
        (answer,) = await puller.ask([SEVEN], ALWAYS)
    assert (answer.status, len(answer.found), len(business.asked)) == ("ok", PAGES_MAX, PAGES_MAX)


GOOD = b'{"events":[{"event":"order_paid"}],"next":null}'


@pytest.mark.parametrize(
    "handler",
    [
        saying(body=GOOD),
        saying(body=b'\n{"more":1,"events":[{"event":"x"}]}', headers={"Content-Type": "text/plain"}),
        saying(body=gzip.compress(GOOD), headers={"Content-Encoding": "gzip"}),
        saying(body=b'{"events":[{"event":"half of a pair \\ud83d"}],"next":""}'),
        saying(body=b'{"events":["no event"]}'),
        padded(PAGE_BYTES_MAX),
    ],
)
async def test_an_answer_of_the_contract_is_taken(handler: Handler) -> None:
    assert await answered(handler) == ("ok", 1)


@pytest.mark.parametrize(
    "handler",
    [
        *(saying(status, GOOD) for status in (201, 204, 206, 400, 401, 404, 429, 500, 503)),
        *(saying(status, GOOD, {"Location": "http://127.0.0.1:1/"}) for status in (301, 302, 303, 307, 308)),
        *(
            saying(body=body)
            for body in (b"", b"<html>", b"[]", b"null", b"\xff\xfe", b'{"events":{}}', b'{"next":null}', GOOD[:-5])
        ),
        saying(body=b'{"events":[],"next":{}}'),
        saying(body=b'{"events":[' + b"[" * 200_000),
        saying(body=b'{"events":[{"event":NaN}]}'),
        saying(body=b"no gzip at all", headers={"Content-Encoding": "gzip"}),
        saying(body=gzip.compress(b" " * (17 << 20) + GOOD), headers={"Content-Encoding": "gzip"}),
        breaking_off,
        padded(PAGE_BYTES_MAX + 1),
    ],
)
async def test_any_other_answer_is_an_error(handler: Handler) -> None:
    assert await answered(handler, 20_000) == ("error", 0)


@pytest.mark.parametrize("handler", [hanging, trickling])
async def test_a_system_that_takes_too_long_is_left_alone(handler: Handler) -> None:
    begun = time.monotonic()
    assert await answered(handler, 200) == ("timeout", 0)
    assert time.monotonic() - begun < 2


async def test_the_time_is_for_all_pages_together_and_what_came_stays() -> None:
    async def slow(request: Any) -> Any:
        await asyncio.sleep(0.6)
        return await saying(body=b'{"events":[{"event":"x"}],"next":"more"}')(request)

    status, events = await answered(slow, 2_000)
    assert status == "timeout"
    assert 1 <= events <= 3


async def test_what_came_before_an_error_stays() -> None:
    async def failing(request: Any) -> Any:
        first = saying(body=b'{"events":[{"event":"x"}],"next":"more"}')
        return await (saying(500) if "cursor" in request.query else first)(request)

    assert await answered(failing) == ("error", 1)


async def test_a_redirect_is_not_followed() -> None:
    async with serving(knowing({"7": [ONE]})) as elsewhere:
        assert await answered(saying(302, headers={"Location": elsewhere.url})) == ("error", 0)
    assert elsewhere.asked == []


async def test_nobody_there_is_an_error() -> None:
    with contextlib.closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        nobody = Business(f"http://127.0.0.1:{held.getsockname()[1]}/x")
        async with asking(orders(nobody)) as puller:
            (answer,) = await puller.ask([SEVEN], ALWAYS)
    assert (answer.status, answer.found) == ("error", ())


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x00\x01 what is HTTP?\r\n\r\n")
    writer.close()


async def test_a_system_that_does_not_speak_http_is_an_error() -> None:
    async with await asyncio.start_server(garbage, "127.0.0.1", 0) as server:
        here = Business(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x")
        async with asking(orders(here)) as puller:
            (answer,) = await puller.ask([SEVEN], ALWAYS)
    assert (answer.status, answer.found) == ("error", ())


async def test_all_systems_are_asked_at_once_and_none_waits_for_another() -> None:
    met = asyncio.Barrier(2)

    def meeting(name: str) -> Handler:
        async def handler(request: Any) -> Any:
            async with asyncio.timeout(5):
                await met.wait()
            return await knowing({"7": [{**ONE, "event_id": name}]})(request)

        return handler

    async with serving(meeting("a")) as a, serving(meeting("b")) as b, serving(hanging) as c:
        systems = [
            System(name=name, url=at.url, namespace="order_user_id", timeout_ms=ms)
            for name, at, ms in (("crm", a, 5_000), ("im", b, 5_000), ("web", c, 300))
        ]
        async with asking(*systems) as puller:
            answers = await puller.ask([SEVEN], ALWAYS)
    assert [(answer.system, answer.status, len(answer.found)) for answer in answers] == [
        ("crm", "ok", 1),
        ("im", "ok", 1),
        ("web", "timeout", 0),
    ]
    assert 300 <= answers[2].took_ms < 2_000


async def test_questions_that_hang_do_not_keep_other_systems_waiting() -> None:
    async with serving(hanging) as slow, serving(knowing({"7": [ONE]})) as quick:
        systems = [
            System(name="slow", url=slow.url, namespace="order_user_id", timeout_ms=400),
            System(name="quick", url=quick.url, namespace="order_user_id", timeout_ms=5_000),
        ]
        async with asking(*systems) as puller:
            rounds = await asyncio.gather(*(puller.ask([SEVEN], ALWAYS) for _ in range(60)))
    assert {(slow.status, quick.status) for slow, quick in rounds} == {("timeout", "ok")}


async def test_what_is_logged_of_a_failure_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    for handler in (saying(500), saying(body=b"{"), breaking_off):
        async with serving(handler) as business, asking(orders(business)) as puller:
            await puller.ask([EIGHT], ALWAYS)
    told = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]  # that is the system asked
    assert len(told) == 3
    assert all("orders" in line and "客户" not in line and "%E5" not in line for line in told)
