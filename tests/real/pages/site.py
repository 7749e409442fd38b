"""A company's web site on loopback: pages by path, each with the collector's script in its head."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.ports import LOOPBACK

PAGE = '<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title>{script}</head><body>{body}</body></html>'


@dataclass
class Site:
    """`pages` is path -> (title, body); `attributes` go into the script tag, None = without script. `url` is its address."""

    collector: str
    pages: Mapping[str, tuple[str, str]]
    attributes: str | None = 'data-interval="200"'
    before: str = ""
    """HTML that stands before the script."""
    files: Path | None = None
    """A directory whose files are served under /files/."""
    url: str = field(default="", init=False)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """A page, or nothing of the kind."""
        if self.files is not None and request.path.startswith("/files/"):
            return web.Response(body=(self.files / Path(request.path).name).read_bytes(), content_type="text/javascript")
        if request.path not in self.pages:
            return web.Response(status=204 if request.path == "/favicon.ico" else 404)
        title, body = self.pages[request.path]
        script = f'<script src="{self.collector}/onetrail.js" data-write-key="dev-web" {self.attributes}></script>'
        head = self.before + (script if self.attributes is not None else "")
        return web.Response(text=PAGE.format(title=title, script=head, body=body), content_type="text/html")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Its address, while it is served."""
        runner = web.ServerRunner(web.Server(self.answer))
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        try:
            yield self.url
        finally:
            await runner.cleanup()
