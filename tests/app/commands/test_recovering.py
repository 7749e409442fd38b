"""Recovery as `onetrail up` shows it, and the sentence of a worker that is about it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from app.commands.asking import Readiness, readiness
from app.commands.recovering import Bars, bars
from app.web import RECOVERED, json_response, refuse


def test_without_a_terminal_there_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with bars() as shown:
        shown.show({})
        shown.show({"worker-1": 0.25, "worker-0": 0.5})
        shown.show({"worker-1": 0.3})
    assert capsys.readouterr().err == "onetrail: recovering: worker-0 50%, worker-1 25%\n"


def test_nobody_who_recovers_is_nothing_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    Bars(None).show({})
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("headers", "expected"), [({}, Readiness(False)), ({RECOVERED: "0.451"}, Readiness(False, 0.451))])
async def test_a_worker_that_is_not_ready_may_say_how_far_it_is(headers: dict[str, str], expected: Readiness) -> None:
    async def refused(request: web.Request) -> web.Response:
        return refuse("not_ready", "not yet", headers)

    assert await asked(refused) == expected


async def test_a_worker_that_is_ready_says_so() -> None:
    async def ready(request: web.Request) -> web.Response:
        return json_response({"status": "ready"})

    assert await asked(ready) == Readiness(True)


async def test_nobody_there_is_not_ready() -> None:
    assert await readiness("http://127.0.0.1:1") == Readiness(False)


async def asked(answer: Handler) -> Readiness:
    application = web.Application()
    application.router.add_get("/readyz", answer)
    async with TestServer(application) as server:
        return await readiness(str(server.make_url("")).rstrip("/"))
