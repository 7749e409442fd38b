"""What web pages fetch: the script that tells of visits, and the rules that it applies.

Both are open to pages of every origin, and have an entity tag, so that a browser that has them asks for a few bytes only.
"""

import gzip
from hashlib import blake2b
from pathlib import Path

from aiohttp import web

SCRIPT = Path(__file__).parent / "web" / "onetrail.js"
SCRIPT_SECONDS = 300
"""So long a browser takes its copy of the script for the newest without asking."""


class Script:
    """The script, plain and packed, as it was when the process started."""

    def __init__(self, file: Path = SCRIPT) -> None:
        self._plain = file.read_bytes()
        self._packed = gzip.compress(self._plain, mtime=0)

    def answer(self, request: web.BaseRequest) -> web.Response:
        """The script, or that it has not changed."""
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        headers = {"Cache-Control": f"public, max-age={SCRIPT_SECONDS}", "Content-Type": "text/javascript; charset=utf-8"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        return tagged(request, self._packed if packed else self._plain, headers)


def rules(request: web.BaseRequest, document: bytes) -> web.Response:
    """The rules, to be asked for anew each time."""
    return tagged(request, document, {"Cache-Control": "no-cache", "Content-Type": "application/json; charset=utf-8"})


def tagged(request: web.BaseRequest, body: bytes, headers: dict[str, str]) -> web.Response:
    """200 with the body, or 304 where the browser has this very body."""
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    shared = {
        "ETag": tag,
        "Vary": "Origin, Accept-Encoding",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    known = request.headers.get("If-None-Match", "").replace("W/", "")
    if tag in [one.strip() for one in known.split(",")]:
        return web.Response(status=304, headers={**shared, "Cache-Control": headers["Cache-Control"]})
    return web.Response(body=body, headers={**headers, **shared})
