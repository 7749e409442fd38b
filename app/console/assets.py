"""Scripts, styles and pictures of the console: read once, served under an address that names their content.

What is served never changes under its address, so browsers may keep it for ever.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("static")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Asset(NamedTuple):
    """A file as it is served."""

    body: bytes
    content_type: str


ASSETS = {path.name: Asset(path.read_bytes(), TYPES[path.suffix]) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}
VERSION = hashlib.sha256(b"\0".join(asset.body for asset in ASSETS.values())).hexdigest()[:12]
"""Of all of them together: scripts that import each other are of one version."""


def address(name: str) -> str:
    """Where a file is served. KeyError: there is no such file."""
    assert name in ASSETS, name
    return f"/console/static/{VERSION}/{name}"
