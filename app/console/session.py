"""Who is signed in: a cookie that says by which token, until when, and that any worker can prove.

The cookie holds no token. It is signed with a key that all workers derive from the key of identifiers, and it names what it was
issued for by a keyed hash of the token, so it ends with its token: after a rotation nobody is signed in by the old one.
What changes something carries a second proof, made from the cookie, that another site cannot know.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

COOKIE = "onetrail_session"
HOURS = 12
_PROOF_BYTES = 16


class Session(NamedTuple):
    """A sign-in that holds: the hash of the token it was made with, and what changes must carry."""

    digest: bytes
    csrf: str


class _Content(msgspec.Struct, frozen=True, array_like=True):
    proof: bytes
    """Which token it was."""
    until: int
    """UTC milliseconds."""


class Sessions:
    """Issues and reads cookies. `secret`: the key of identifiers."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"console session", "sha256")

    def issued(self, digest: bytes, now_ms: int) -> str:
        """A cookie for whoever has shown the token of this hash."""
        content = msgspec.msgpack.encode(_Content(self._proof(b"token", digest), now_ms + HOURS * 3_600_000))
        return _text(content + self._proof(b"cookie", content))

    def read(self, cookie: str, digests: Iterable[bytes], now_ms: int) -> Session | None:
        """The session of a cookie: None if it is not ours, is over, or its token is none of these any more."""
        try:
            raw = urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
            content = msgspec.msgpack.decode(raw[:-_PROOF_BYTES], type=_Content)
        except (ValueError, msgspec.DecodeError):
            return None
        if not hmac.compare_digest(raw[-_PROOF_BYTES:], self._proof(b"cookie", raw[:-_PROOF_BYTES])) or content.until <= now_ms:
            return None
        for digest in digests:
            if hmac.compare_digest(content.proof, self._proof(b"token", digest)):
                return Session(digest, _text(self._proof(b"csrf", raw)))
        return None

    def _proof(self, use: bytes, content: bytes) -> bytes:
        return hmac.digest(self._key, use + b"\0" + content, "sha256")[:_PROOF_BYTES]


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
