"""The collector as a process: routes, answers, beginning and end.

It listens at once and refuses with 503 until Kafka is there; it ends on SIGINT or SIGTERM, when what is in flight is answered.
No fault leaves `_answer` but as an answer of the usual shape.
"""

import asyncio
import logging
import signal
from typing import Any
from zoneinfo import ZoneInfo

import click
from aiohttp import web

from app.collector import answers
from app.collector.auth import Keys
from app.collector.body import read
from app.collector.budget import Budget
from app.collector.channels import intakes
from app.collector.codeless import Codeless
from app.collector.lane import Unavailable
from app.collector.metrics import Metrics
from app.collector.openapi import DOCUMENT
from app.collector.pages import Script, rules
from app.collector.post import Post, Read
from app.collector.protocols import ROUTES
from app.collector.sink import Sink
from app.collector.verdict import Judge, Judged
from app.config import Channel, Config
from app.garbage import spare
from app.rates import Rates
from app.settings import Settings, SettingsError
from app.web import Connection, Refusal

log = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
FINISH_SECONDS_MAX = 6.0
"""Longer than any request waits for Kafka."""
_POST, _GET = "POST, OPTIONS", "GET, HEAD, OPTIONS"
_SCRIPT, _RULES, _DOCUMENT = "/onetrail.js", "/v1/codeless", "/openapi.json"
_GETS = ("/healthz", "/readyz", "/metrics", _SCRIPT, _RULES, _DOCUMENT)


def run(settings: Settings, config: Config) -> None:
    """Collect in the foreground until SIGINT or SIGTERM. Raises `SettingsError` when the address cannot be listened on."""
    asyncio.run(serve(settings, config))


async def serve(settings: Settings, config: Config) -> None:
    """As `run`, in a loop that is there already."""
    # It logs several lines for every try to reach a broker that is away; the sink tells what matters, once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    sink = Sink(settings, config)
    server = Server(Collector(settings, config, sink).answer)
    runner = web.ServerRunner(server, shutdown_timeout=FINISH_SECONDS_MAX)
    await runner.setup()
    try:
        await _listen(runner, settings)
        sink.start()
        spare()
        click.echo(f"collector: http://{_host(settings)}:{settings.collect_port}")
        await _told_to_stop()
    finally:
        await runner.cleanup()
        await sink.stop()


class Collector:
    """Answers requests; `sink` delivers what they hold."""

    def __init__(self, settings: Settings, config: Config, sink: Sink) -> None:
        self._sink = sink
        self._keys = Keys(config)
        self._intakes = intakes(settings, config)
        self._judge = Judge(settings, ZoneInfo(config.display.time_zone))
        self._budget = Budget()
        self._metrics = Metrics()
        self._rates = Rates(0, asyncio.get_running_loop().time, "events")
        self._script = Script()
        self._codeless = Codeless(settings.config, config.codeless)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to any request."""
        path = request.path.rstrip("/")
        try:
            response = await self._routed(request, path)
        except Refusal as refused:
            response = answers.refusal(refused)
        except Unavailable as error:
            response = answers.refusal(Refusal("not_ready", f"{error}; send it again in a moment"))
        except Exception:  # the edge of the collector: the fault is ours, is logged, and tells a stranger nothing
            log.exception("%s %s failed", request.method, path)
            response = answers.refusal(Refusal("internal", "the collector failed to answer; its log has the reason"))
        self._metrics.answered(path if path in ROUTES or path in _GETS else "other", response.status)
        return answers.opened(response, request)

    async def _routed(self, request: web.BaseRequest, path: str) -> web.Response:
        read_post = ROUTES.get(path)
        if read_post is None and path not in _GETS:
            raise Refusal("not_found", "there is nothing here; events are posted to /v1/events or /v1/batch")
        methods = _GET if read_post is None else _POST
        if request.method == "OPTIONS":
            return answers.preflight(request, methods)
        if request.method not in methods.split(", "):
            refused = Refusal("method_not_allowed", f"{path} takes {methods}")
            return answers.refusal(refused, {"Allow": methods})
        if read_post is None:
            return await self._got(path, request)
        started = asyncio.get_running_loop().time()
        response = await self._collected(request, read_post)
        self._metrics.took(asyncio.get_running_loop().time() - started)
        return response

    async def _got(self, path: str, request: web.BaseRequest) -> web.Response:
        if path == _SCRIPT:
            return self._script.answer(request)
        if path == _RULES:
            return rules(request, self._codeless.document(self._keys.in_body(request.query.get("writeKey"), request).name))
        return await self._probed(path)

    async def _probed(self, path: str) -> web.Response:
        if path == "/metrics":
            body, content_type = self._metrics.exposition(self._budget.held)
            return web.Response(body=body, headers={"Content-Type": content_type})
        if path == _DOCUMENT:
            return web.Response(body=DOCUMENT, headers={"Content-Type": "application/json; charset=utf-8"})
        if path == "/readyz" and not await self._sink.reachable():
            raise Refusal("not_ready", "Kafka cannot be reached; try again in a moment")
        return answers.json({"status": "ok" if path == "/healthz" else "ready"})

    async def _collected(self, request: web.BaseRequest, read_post: Read) -> web.Response:
        """Read, judge, deliver, and only then answer."""
        channel = self._keys.in_header(request)
        with self._budget.hold() as hold:
            body = await read(request, hold)
            self._metrics.received(len(body))
            post = read_post(body)
            await hold.grow(post.unpacked_bytes)
            judged = await self._judged(post, channel or self._keys.in_body(post.write_key, request))
        return answers.verdicts(judged.accepted, judged.rejected)

    async def _judged(self, post: Post, channel: Channel) -> Judged:
        intake = self._intakes[channel.name]
        if intake.has_own_format and post.protocol not in ("canonical", "filtered"):
            raise Refusal("bad_request", f"the channel {channel.name} has a format of its own; post its records to /v1/events")
        if channel.rate is not None:
            self._rates.take(channel.name, channel.rate, len(post.messages))
        judged = await self._judge.judge(post, intake)
        started = asyncio.get_running_loop().time()
        await self._sink.deliver(judged.records)
        self._metrics.acknowledged(asyncio.get_running_loop().time() - started)
        self._metrics.judged(channel.name, judged.accepted, judged.rejected)
        return judged


class _Connection(Connection):
    """One whose refusals SDKs understand, too."""

    __slots__ = ()

    @staticmethod
    def refused(refusal: Refusal) -> web.Response:
        return answers.refusal(refusal)


class Server(web.Server):
    """The HTTP server under a `Collector`."""

    def __call__(self) -> web.RequestHandler:
        loop = asyncio.get_running_loop()
        # Bodies are unpacked by us, with our bound and whatever they are called.
        options: dict[str, Any] = {"auto_decompress": False, "access_log": None, "keepalive_timeout": 75.0}
        return _Connection(self, loop=loop, **options)


async def _listen(runner: web.ServerRunner, settings: Settings) -> None:
    site = web.TCPSite(runner, settings.host, settings.collect_port, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        where = f"{_host(settings)}:{settings.collect_port}"
        raise SettingsError(f"ONETRAIL_COLLECT_PORT: the collector cannot listen on {where}: {error.strerror}") from error


async def _told_to_stop() -> None:
    """Returns on the first stop signal; the second one ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    for number in STOP_SIGNALS:
        loop.remove_signal_handler(number)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _host(settings: Settings) -> str:
    return f"[{settings.host}]" if ":" in settings.host else settings.host
