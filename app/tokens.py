"""Who a bearer token belongs to: the tokens of the environment, and named ones from a file that may change while we run.

The file (`ONETRAIL_TOKENS`) holds hashes, never tokens:

    [[tokens]]
    name = "crm"                        # how the audit names the caller; two entries of one name are a rotation
    scopes = ["read_masked"]            # read | read_masked | admin
    sha256 = "9f86d081884c7d65…"        # of the token, in hexadecimal; `onetrail token NAME` makes both
    expires = 2027-01-01T00:00:00Z      # optional
    rate = 50                           # optional: requests a second, instead of the default

It is looked at once a second at most, when somebody asks. A file that cannot be used changes nothing and is named in one line of
the log; at the start it is an error. Every token is compared with every hash, each in constant time.
"""

import hashlib
import hmac
import logging
import re
import time
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from app.clock import now_ms
from app.settings import Settings, SettingsError

log = logging.getLogger(__name__)

Scope = Literal["read", "read_masked", "admin", "peer"]
GIVEN: tuple[Scope, ...] = ("read", "read_masked", "admin")
"""What a file may give; `peer` is for workers among themselves."""
LOOK_SECONDS = 1.0
PEER = b"onetrail: workers of one installation"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KNOWN = frozenset({"name", "scopes", "sha256", "expires", "rate"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `rate` in requests a second; None = the default."""

    name: str
    scopes: frozenset[Scope]
    rate: float | None = None

    @property
    def masked(self) -> bool:
        """Whether personal values are hidden in all answers; only `read` shows them."""
        return not self.scopes & {"read", "peer"}

    @property
    def may_change(self) -> bool:
        """Whether operator requests are taken."""
        return "admin" in self.scopes


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept: hashed. `expires_ms` in UTC milliseconds."""

    digest: bytes
    caller: Caller
    expires_ms: int | None = None


class TokensError(ValueError):
    """The file of tokens cannot be used; one line."""


def digest_of(token: str | bytes) -> bytes:
    """SHA-256: tokens are long and random, so nothing slower is needed."""
    return hashlib.sha256(token.encode() if isinstance(token, str) else token).digest()


def peer_token(settings: Settings) -> str:
    """What workers show each other; it follows from the key of identifiers, which all of them have."""
    return hmac.new(settings.pii_key, PEER, hashlib.sha256).hexdigest()


def environment_tokens(settings: Settings) -> tuple[Token, ...]:
    """The tokens that are there without a file; the administrator's reads everything, too."""
    given: list[tuple[str, str, frozenset[Scope]]] = [
        ("reader", settings.read_token, frozenset({"read"})),
        ("administrator", settings.admin_token, frozenset({"read", "admin"})),
        ("worker", peer_token(settings), frozenset({"peer"})),
    ]
    return tuple(Token(digest_of(token), Caller(name, scopes)) for name, token, scopes in given if token)


def tokens_in(text: str) -> tuple[Token, ...]:
    """The tokens of a file's text. Raises `TokensError`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TokensError(f"it is not TOML: {error}") from None
    entries = document.get("tokens", [])
    if document.keys() - {"tokens"} or not isinstance(entries, list):
        raise TokensError("it holds entries [[tokens]] and nothing else")
    return tuple(_token(number, entry) for number, entry in enumerate(entries, 1))


class Tokens:
    """All tokens of a process. Raises `SettingsError` when the file cannot be used at the start."""

    def __init__(self, settings: Settings) -> None:
        self._path, self._fixed = settings.tokens, environment_tokens(settings)
        self._named: tuple[Token, ...] = ()
        self._seen: object = None
        self._looked = time.monotonic()
        if self._path is not None:
            try:
                self._seen, self._named = _state(self._path), tokens_in(self._path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise SettingsError(f"ONETRAIL_TOKENS: {self._path}: {error}") from None

    def caller(self, token: bytes) -> Caller | None:
        """Whose token it is; None for one that nobody has, or that has expired."""
        given, found = digest_of(token), None
        for one in self.valid():
            if hmac.compare_digest(one.digest, given):
                found = one
        return None if found is None else found.caller

    def valid(self) -> list[Token]:
        """All tokens that have not expired."""
        self._look()
        now = now_ms()
        return [one for one in (*self._fixed, *self._named) if one.expires_ms is None or one.expires_ms > now]

    def _look(self) -> None:
        """Reads the file again if it changed."""
        now = time.monotonic()
        if self._path is None or now - self._looked < LOOK_SECONDS:
            return
        self._looked, before = now, self._seen
        self._seen = _state(self._path)
        if self._seen == before:
            return
        try:
            self._named = tokens_in(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            log.error("tokens stay as they were: %s: %s", self._path, error)
        else:
            log.info("tokens read again: %d in %s", len(self._named), self._path)


def _state(path: Path) -> object:
    """What changes when the file does; a file that is gone is a state, too."""
    try:
        found = path.stat()
    except OSError as error:
        return str(error)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _token(number: int, entry: Any) -> Token:
    where = f"entry {number}"
    if not isinstance(entry, dict) or not entry.keys() <= _KNOWN:
        raise TokensError(f"{where} has name, scopes, sha256, and perhaps expires and rate; nothing else")
    name, digest = entry.get("name"), entry.get("sha256")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise TokensError(f"{where}: name has 1 to 64 of the characters a-z A-Z 0-9 . _ @ -")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise TokensError(f"{where} ({name}): sha256 is the hash of the token, 64 hexadecimal digits")
    caller = Caller(name, _scopes(f"{where} ({name})", entry.get("scopes")), _rate(f"{where} ({name})", entry.get("rate")))
    return Token(bytes.fromhex(digest), caller, _instant(f"{where} ({name})", entry.get("expires")))


def _scopes(where: str, found: object) -> frozenset[Scope]:
    given: Iterable[object] = found if isinstance(found, list) else ()
    scopes = frozenset(scope for scope in GIVEN if scope in given)
    if not scopes or not isinstance(found, list) or len(scopes) != len(found):
        raise TokensError(f"{where}: scopes is a list of {', '.join(GIVEN)}")
    return scopes


def _rate(where: str, found: object) -> float | None:
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found <= 1e6:
        raise TokensError(f"{where}: rate is a number of requests a second, above 0")
    return float(found)


def _instant(where: str, found: object) -> int | None:
    if found is None:
        return None
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise TokensError(f"{where}: expires is a time with its offset, like 2027-01-01T00:00:00Z")
    return int(found.astimezone(UTC).timestamp() * 1000)


assert set(GIVEN) < set(get_args(Scope))
