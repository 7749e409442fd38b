"""What the environment says: one frozen `Settings`, read once; nothing else reads the environment.

A variable that is set to the empty text counts as not set. A missing token or key is taken from the data directory,
where it is made once (`app.secret_files`); such a secret belongs to one machine, so a process that holds one binds to
loopback only. Every fault is a `SettingsError`: one line that names the variable.
"""

import os
import re
import socket
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from app.kafka_security import SecurityError, security_of
from app.secret_files import kept, kept_or_made

PACKAGED_CONFIG = Path(__file__).resolve().parent.parent / "docker" / "onetrail.toml"
PII_KEY_LENGTH_MIN = 16
PREFIX_LENGTH_MAX = 64
RATE_DEFAULT = 10_000
SECRETS = ("ONETRAIL_READ_TOKEN", "ONETRAIL_ADMIN_TOKEN", "ONETRAIL_PII_KEY")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST = re.compile(r"[A-Za-z0-9._-]+")
_TOKEN = re.compile(r"[!-~]+")
_WILDCARDS = ("0.0.0.0", "::")


class SettingsError(Exception):
    """A variable has a value that cannot be used; the message is one line and names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where things are, who may ask, and how Kafka is reached."""

    kafka: str | None
    """Bootstrap servers that were given; None = the embedded broker."""
    data: Path
    config: Path
    prefix: str
    collect_port: int
    web_port: int
    broker_port: int
    host: str
    web_url: str
    """How other workers reach this one; without a slash at the end."""
    worker: str
    """The name of this worker; see `member`."""
    read_token: str = field(repr=False)
    admin_token: str = field(repr=False)
    pii_key: bytes = field(repr=False)
    security: Mapping[str, object] = field(repr=False)
    """TLS and SASL arguments of every aiokafka client; empty = plain text."""
    tokens: Path | None = None
    """The file of named tokens (`app.tokens`)."""
    rate: float
    """Lookups a second that one caller may ask of a worker, unless the file of tokens says otherwise; 0 = any number."""
    log: str
    """How log lines are written: text or json."""
    metrics: str
    """Who may read a worker's metrics: open = anybody, token = whoever may look up."""
    generated: frozenset[str] = frozenset()
    """The variables whose value was generated and lies in the data directory."""

    generation: int = 0
    """Which of several states of one log this is about (app/generation.py); 0 = the first."""
    shadow: bool = False
    """Whether this state is being built beside the one in use, so that nobody outside hears of it."""

    @property
    def inner(self) -> str:
        """Begins the names of what belongs to this generation alone: inboxes, and while it is a shadow its outputs."""
        return f"{self.prefix}.g{self.generation}" if self.generation else self.prefix

    @property
    def app_id(self) -> str:
        """Begins the names of changelogs, and is the name of the group of workers."""
        return f"{self.prefix}-g{self.generation}" if self.generation else self.prefix

    @property
    def outer(self) -> str:
        """Begins the names of outputs."""
        return self.inner if self.shadow else self.prefix

    @property
    def member(self) -> str:
        """This worker as a static member of its group: another one when it comes back under another address, for the broker
        gives a member that returns the share it had, address included, and Faust takes none that is for another address."""
        return f"{self.worker}-{zlib.crc32(self.web_url.encode()):08x}"

    @property
    def bootstrap(self) -> str:
        """`host:port[,host:port]` of the brokers; the embedded one where no other was given."""
        host = "127.0.0.1" if self.host in _WILDCARDS else self.host
        return self.kafka or f"{_bracketed(host)}:{self.broker_port}"

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ, generate: bool = True) -> Self:
        """Read and check every variable. Raises `SettingsError`.

        `generate=False` is for commands that serve nothing: nothing is written, no binding is judged, and a secret
        that is neither in the environment nor in the data directory is empty.
        """
        data = Path(env.get("ONETRAIL_DATA") or ".onetrail").expanduser().absolute()
        host, web_port = _host(env), _port(env, "ONETRAIL_WEB_PORT", 6066)
        secrets = {name: _secret(env, name, data, generate) for name in SECRETS}
        generated = frozenset(name for name in SECRETS if not env.get(name))
        if generate:
            _refuse_open_doors(host, generated)
        _refuse_equal_tokens(secrets)
        return cls(
            kafka=_kafka(env),
            data=data,
            config=_config(env),
            prefix=_prefix(env),
            collect_port=_port(env, "ONETRAIL_COLLECT_PORT", 8000),
            web_port=web_port,
            broker_port=_port(env, "ONETRAIL_BROKER_PORT", 9092, highest=65534),
            host=host,
            web_url=_web_url(env, host, web_port),
            worker=_worker(env, web_port),
            read_token=secrets["ONETRAIL_READ_TOKEN"],
            admin_token=secrets["ONETRAIL_ADMIN_TOKEN"],
            pii_key=secrets["ONETRAIL_PII_KEY"].encode("utf-8", "surrogateescape"),
            security=_security(env),
            tokens=_tokens(env),
            rate=_rate(env),
            log=_choice(env, "ONETRAIL_LOG", ("text", "json")),
            metrics=_choice(env, "ONETRAIL_METRICS", ("open", "token")),
            generated=generated,
            generation=_generation(env),
            shadow=bool(env.get("ONETRAIL_SHADOW")),
        )


def token(name: str, env: Mapping[str, str] = os.environ) -> str:
    """The token in a variable that the configuration names. Raises `SettingsError` when it cannot be sent."""
    given = env.get(name) or ""
    if not _TOKEN.fullmatch(given):
        found = "it is not set" if given == "" else "it has other characters"
        raise SettingsError(f"{name}, a `token_env` of the configuration, must be printable ASCII without spaces; {found}")
    return given


def _port(env: Mapping[str, str], name: str, default: int, highest: int = 65535) -> int:
    """The embedded broker's controller listens one port above it, hence a `highest` of its own."""
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= highest):
        raise SettingsError(f"{name} must be a port from 1 to {highest}, not {text!r}")
    return int(text)


def _generation(env: Mapping[str, str]) -> int:
    text = env.get("ONETRAIL_GENERATION") or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise SettingsError(f"ONETRAIL_GENERATION must be a number, as `onetrail rebuild` says, not {text!r}")
    return int(text)


def _host(env: Mapping[str, str]) -> str:
    host = env.get("ONETRAIL_HOST") or "127.0.0.1"
    if not (_HOST.fullmatch(host) or _is_address(host)):
        raise SettingsError(f"ONETRAIL_HOST must be an address or a host name without port, not {host!r}")
    return host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host.lower() == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _kafka(env: Mapping[str, str]) -> str | None:
    text = env.get("ONETRAIL_KAFKA")
    if not text:
        return None
    servers = [server.strip() for server in text.split(",")]
    for server in servers:
        host, colon, port = server.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        known = _HOST.fullmatch(bare) or (bare != host and _is_address(bare))
        if not (colon and known and port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
            raise SettingsError(f"ONETRAIL_KAFKA must be host:port, several of them with commas; {server!r} is not")
    return ",".join(servers)


def _config(env: Mapping[str, str]) -> Path:
    path = Path(env.get("ONETRAIL_CONFIG") or PACKAGED_CONFIG).expanduser().absolute()
    if not path.is_file():
        raise SettingsError(f"ONETRAIL_CONFIG names {str(path)!r}, and there is no such file")
    return path


def _tokens(env: Mapping[str, str]) -> Path | None:
    text = env.get("ONETRAIL_TOKENS")
    return Path(text).expanduser().absolute() if text else None


def _prefix(env: Mapping[str, str]) -> str:
    prefix = env.get("ONETRAIL_PREFIX") or "onetrail"
    if not _NAME.fullmatch(prefix) or len(prefix) > PREFIX_LENGTH_MAX:
        rule = f"1 to {PREFIX_LENGTH_MAX} of the characters a-z A-Z 0-9 . _ - and begin with a letter or digit"
        raise SettingsError(f"ONETRAIL_PREFIX begins every topic name, so it must have {rule}; {prefix!r} does not")
    return prefix


def _web_url(env: Mapping[str, str], host: str, port: int) -> str:
    text = env.get("ONETRAIL_WEB_URL") or f"http://{_bracketed(host)}:{port}"
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        good = False
    if not good or any(character.isspace() for character in text):
        raise SettingsError(f"ONETRAIL_WEB_URL must be like http://host:port, not {text!r}")
    return text.rstrip("/")


def _worker(env: Mapping[str, str], web_port: int) -> str:
    """By default the machine's name and the web port: workers of one machine have ports of their own."""
    default = re.sub(r"[^A-Za-z0-9._-]", "-", f"{socket.gethostname() or 'worker'}-{web_port}")
    name = env.get("ONETRAIL_WORKER") or default
    if not _NAME.fullmatch(name) or len(name) > 200:
        raise SettingsError(f"ONETRAIL_WORKER must have 1 to 200 of the characters a-z A-Z 0-9 . _ -; {name!r} does not")
    return name


def _secret(env: Mapping[str, str], name: str, data: Path, generate: bool) -> str:
    given = env.get(name)
    if given is None or given == "":
        return _own_secret(name, data, generate)
    if name == "ONETRAIL_PII_KEY" and len(given) < PII_KEY_LENGTH_MIN:
        raise SettingsError(f"{name} must have at least {PII_KEY_LENGTH_MIN} characters; it has {len(given)}")
    if name != "ONETRAIL_PII_KEY" and not _TOKEN.fullmatch(given):
        raise SettingsError(f"{name} travels in an HTTP header, so it must be printable ASCII without spaces")
    return given


def _own_secret(name: str, data: Path, generate: bool) -> str:
    file = name.removeprefix("ONETRAIL_").lower()
    try:
        return kept_or_made(data, file) if generate else kept(data, file) or ""
    except (OSError, ValueError) as error:
        raise SettingsError(f"{name} is not set and cannot be kept in ONETRAIL_DATA: {error}") from None


def _refuse_open_doors(host: str, generated: frozenset[str]) -> None:
    if generated and not _is_loopback(host):
        names = ", ".join(sorted(generated))
        raise SettingsError(f"ONETRAIL_HOST is {host}, which others can reach: set {names}, generated ones are for loopback only")


def _refuse_equal_tokens(secrets: Mapping[str, str]) -> None:
    if secrets["ONETRAIL_ADMIN_TOKEN"] and secrets["ONETRAIL_ADMIN_TOKEN"] == secrets["ONETRAIL_READ_TOKEN"]:
        raise SettingsError("ONETRAIL_ADMIN_TOKEN is the same as ONETRAIL_READ_TOKEN, so that every reader could erase")


def _security(env: Mapping[str, str]) -> dict[str, object]:
    try:
        return security_of(env)
    except SecurityError as error:
        raise SettingsError(str(error)) from None


def _rate(env: Mapping[str, str]) -> float:
    text = env.get("ONETRAIL_RATE") or str(RATE_DEFAULT)
    if not (text.isascii() and text.isdigit() and 0 <= int(text[:9]) <= 1_000_000):
        raise SettingsError(f"ONETRAIL_RATE must be a whole number of requests a second, 0 = without limit, not {text!r}")
    return float(text)


def _choice(env: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """One of some words, of which the first is the default."""
    found = env.get(name) or allowed[0]
    if found not in allowed:
        raise SettingsError(f"{name} must be one of {', '.join(allowed)}, not {found!r}")
    return found
