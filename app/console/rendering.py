"""Pages and parts of pages: templates with everything escaped, and the headers that keep a page to itself.

A page may load what its own worker serves and nothing else: no script or style inside it, no other site, no frame around it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.console import shapes
from app.console.assets import address

TEMPLATES = Path(__file__).with_name("templates")
POLICY = ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'")
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Language",
}

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.globals |= {"asset": address}
_environment.filters |= shapes.FILTERS


def html(template: str, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any) -> web.Response:
    """A template as an answer."""
    text = _environment.get_template(template).render(**context)
    return web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers={**HEADERS, **(headers or {})}
    )
