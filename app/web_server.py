"""The web server of a worker: Faust's, with answers of the usual shape to what is no HTTP, or more of it than fits.

A request line or a header has at most 8,190 bytes, as aiohttp has it; what is longer never reaches a view.
"""

from typing import Any

from aiohttp import web
from faust.web.drivers import aiohttp as driver

from app.web import refuse


class Connection(web.RequestHandler):
    """A connection whose broken requests are answered, and not logged: their lines may hold anything."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun already")
        broken = "this is not HTTP as it should be; a line of it has at most 8,190 bytes"
        response = refuse("bad_request", broken) if status < 500 else refuse("internal", "no answer")
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class _Runner(web.AppRunner):
    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, loop=made._loop, **made._kwargs)


class Web(driver.Web):
    """Faust's driver with our connections."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        self._runner = _Runner(self.web_app, access_log=None)
