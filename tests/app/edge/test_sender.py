"""What an edge does with each answer of a collector."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from app.edge.sender import Later, Misplaced, Sender
from app.edge.spool import Spool
from models.edge import read
from models.event import Rejected
from tests.app.edge.conftest import NOW
from tests.app.edge.test_spool import kept, raws


class Centre:
    """A collector that answers what it is told to: `verdict` decides by the events."""

    def __init__(self) -> None:
        self.status, self.headers = 200, dict[str, str]()
        self.poison: str | None = None
        self.bodies: list[Any] = []

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = json.loads(gzip.decompress(await request.read()))
        self.bodies.append(body)
        if self.poison is not None and self.poison in body:
            return web.json_response({"error": {"code": "too_large"}}, status=413)
        return web.json_response({"success": True, "accepted": 0, "rejected": []}, status=self.status, headers=self.headers)


@pytest_asyncio.fixture
async def centre() -> AsyncIterator[tuple[Centre, str]]:
    made = Centre()
    runner = web.ServerRunner(web.Server(made.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield made, f"http://{host}:{port}"
    await runner.cleanup()


@pytest_asyncio.fixture
async def sender(centre: tuple[Centre, str], spool: Spool) -> AsyncIterator[Sender]:
    spool.take([kept(number)._replace(raw=b'"%d"' % number) for number in range(9)], NOW)
    async with aiohttp.ClientSession() as http:
        yield Sender(http, centre[1], "key", "kiosk", spool)


async def test_what_is_acknowledged_waits_no_longer(centre: tuple[Centre, str], sender: Sender, spool: Spool) -> None:
    assert (await sender.send(), await sender.send()) == (True, False)
    assert (centre[0].bodies, spool.waiting(), sender.sent) == ([[str(number) for number in range(9)]], 0, 9)


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408])
async def test_whatever_may_pass_is_waited_for(centre: tuple[Centre, str], sender: Sender, spool: Spool, status: int) -> None:
    centre[0].status, centre[0].headers = status, {"Retry-After": "7"}
    with pytest.raises(Later) as later:
        await sender.send()
    assert (later.value.seconds, spool.waiting()) == (7.0, 9)


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405])
async def test_a_wrong_address_or_key_is_said(centre: tuple[Centre, str], sender: Sender, spool: Spool, status: int) -> None:
    centre[0].status = status
    with pytest.raises(Misplaced, match=str(status)):
        await sender.send()
    assert spool.waiting() == 9


async def test_one_event_that_is_refused_does_not_hold_up_the_others(
    centre: tuple[Centre, str], sender: Sender, spool: Spool
) -> None:
    centre[0].poison = "6"
    assert await sender.send()
    assert (raws(spool), sender.sent, sender.refused) == ([], 8, {"answer 413": 1})


async def test_nobody_there_is_waited_for(spool: Spool) -> None:
    spool.take([kept(1)], NOW)
    async with aiohttp.ClientSession() as http:
        with pytest.raises(Later, match="no answer"):
            await Sender(http, "http://127.0.0.1:9", "key", "kiosk", spool).send()


async def test_what_was_held_back_is_told_and_then_forgotten(centre: tuple[Centre, str], sender: Sender, spool: Spool) -> None:
    spool.take(["crawler", "crawler"], NOW)
    (telling,) = spool.tellings(at_end=True)
    await sender.tell(telling)
    (body,) = centre[0].bodies
    assert (body["edge"], body["read"], body["filtered"]) == ("kiosk", 11, {"crawler": 2})
    assert not isinstance(read(json.dumps(body).encode()), Rejected)
    assert spool.tellings(at_end=True) == []
