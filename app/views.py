"""The other web views of a worker: how the system is, and what workers ask each other."""

import faust.web
import msgspec
from aiohttp import web

from app.activity import activity
from app.asking import found
from app.clock import now_ms
from app.instance import app, config, settings, table
from app.lag import lag
from app.lookups import Lookup, peers
from app.metrics import exposition
from app.openapi import OPENAPI
from app.people import QUESTIONS
from app.recovery import recovery, why_not_ready
from app.rejects import rejects
from app.remembered import Remembered
from app.status import Reporter
from app.web import RECOVERED, Refusal, json_response, refuse

CHANNELS_SECONDS = 5.0
"""So old may what is told of the channels be."""

reporter = Reporter(peers)
channels = Remembered(lambda: activity(settings, config, rejects.lately, now_ms()), CHANNELS_SECONDS)


@app.page("/v1/status")
class StatusView(Lookup):
    """How far the whole system is."""

    async def get(self, request: web.Request) -> web.Response:
        return json_response(await reporter.document())


@app.page("/v1/channels")
class ChannelsView(Lookup):
    """Which channels bring events, and what of them is turned away."""

    async def get(self, request: web.Request) -> web.Response:
        return json_response(await channels.document())


@app.page("/_peer/status")
class PeerStatusView(Lookup):
    """What this worker knows of its own part; for other workers."""

    async def get(self, request: web.Request) -> web.Response:
        return web.Response(body=msgspec.msgpack.encode(reporter.own()))


@app.page("/_peer/{question}/{partition}")
class PeerView(Lookup):
    """Rows of a partition that this worker owns; for other workers, one hop at most."""

    async def get(self, request: web.Request, question: str, partition: str) -> web.Response:
        asked = found(QUESTIONS.get(question), "this question")
        try:
            answer = peers.answer(asked, int(partition), bytes.fromhex(request.query.get("q", "")))
        except ValueError as error:
            raise Refusal("bad_request", f"a question of another worker cannot be read: {error}") from None
        return web.Response(body=msgspec.msgpack.encode(answer))


@app.page("/healthz")
class HealthView(faust.web.View):
    """The process lives."""

    async def get(self, request: web.Request) -> web.Response:
        return json_response({"status": "ok"})


@app.page("/readyz")
class ReadyView(faust.web.View):
    """The worker owns its partitions, which may be none, and answers."""

    async def get(self, request: web.Request) -> web.Response:
        if not app.owns or not app.tables.actives_ready or not table.is_whole:
            progress = recovery.progress()
            headers = {} if progress is None else {RECOVERED: f"{progress.part:.3f}"}
            return refuse("not_ready", f"{why_not_ready()}; try again in a moment", headers)
        return json_response({"status": "ready"})


@app.page("/metrics")
class MetricsView(faust.web.View):
    """Prometheus text."""

    async def get(self, request: web.Request) -> web.Response:
        await lag.ask()
        body, content_type = exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})


@app.page("/openapi.json")
class OpenApiView(faust.web.View):
    """The machine-readable description of these routes."""

    async def get(self, request: web.Request) -> web.Response:
        return json_response(OPENAPI)
