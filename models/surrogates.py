"""Half a surrogate pair, left in JSON by senders that cut a text inside an emoji: with it an event would break every answer
that holds it, and no strict reader takes it. It becomes U+FFFD."""

import re

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL
)


def mended(raw: bytes) -> bytes:
    """JSON whose texts hold no half of a surrogate pair; all else as it came."""
    return _ESCAPE.sub(_whole, raw) if b"\\" in raw and (b"\\ud" in raw or b"\\uD" in raw) else raw


def _whole(escape: re.Match[bytes]) -> bytes:
    """Escapes stay as they are, but for one half of a pair."""
    text = escape[0]
    return b"\\ufffd" if len(text) == 6 else text
