"""The web server of a worker: Faust's, with connections that answer in the usual shape what is no HTTP."""

from typing import Any

from aiohttp import web
from faust.web.drivers import aiohttp as driver

from app.web import Connection


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
