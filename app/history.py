"""A history from a file: canonical events, a JSON object a line, or the notation of `models/notation.py`; plain or .gz."""

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from app.config import Config, policies_of
from models import notation
from models.event import Event, Rejected
from models.identity.messages import Erase, IdentityMessage, relink, unlink
from models.identity.values import Sighting, Version
from models.ids import EventId, key_of
from models.occurrence import occurred
from models.parse import Position, parse

SECRET = b"a history in memory"
"""Keys of a dry run name nobody outside it."""


class HistoryError(Exception):
    """The file cannot be read as a history; the message is one line."""


class History:
    """The messages of a file, read by the rules of one configuration."""

    def __init__(self, path: Path, config: Config, channel: str) -> None:
        self._path, self._channel = path, channel
        self._policies = {policy.channel: policy for policy in policies_of(config).values()}
        if channel not in self._policies:
            raise HistoryError(f"{channel} is not a channel of the configuration")
        self._read, self._size = 0, max(1, path.stat().st_size)
        self.events = 0
        self.rejected: Counter[str] = Counter()

    @property
    def part(self) -> float:
        """How much of the file is read, 0 to 1."""
        return self._read / self._size

    def messages(self) -> Iterator[IdentityMessage]:
        """What the file tells identities, in order."""
        try:
            with self._open() as file:
                first = file.peek(64).lstrip()[:1]
                yield from self._json_lines(file) if first in (b"{", b"") else self._notation(file)
        except (OSError, EOFError, zlib.error) as error:
            raise HistoryError(f"{self._path} cannot be read to its end: {error}") from None

    def _open(self) -> io.BufferedReader:
        if self._path.suffix == ".gz":
            return cast(io.BufferedReader, gzip.open(self._path))
        return self._path.open("rb")

    def _json_lines(self, file: IO[bytes]) -> Iterator[IdentityMessage]:
        policy = self._policies[self._channel]
        for number, line in enumerate(file):
            self._read = min(self._size, self._read + len(line))
            if line.strip():
                yield from self._event(parse(line, policy, Position(self._path.name, 0, number), number))

    def _event(self, event: Event | Rejected) -> Iterator[IdentityMessage]:
        if isinstance(event, Rejected):
            self.rejected[event.reason] += 1
        else:
            self.events += 1
            yield occurred(event, SECRET)

    def _notation(self, file: IO[bytes]) -> Iterator[IdentityMessage]:
        try:
            lines = notation.read(file.read().decode())
        except UnicodeDecodeError:
            raise HistoryError(f"{self._path} is neither JSON Lines nor text in UTF-8") from None
        except ValueError as error:
            raise HistoryError(f"{self._path}: {error}") from None
        for line in lines:
            yield from self._said(line)

    def _said(self, line: notation.Line) -> Iterator[IdentityMessage]:
        given: dict[str, list[str]] = {}
        for name in line.names:
            namespace, _, value = name.partition(":")
            given.setdefault(namespace, []).append(value)
        usable = self._policies[self._channel].namespaces.gather(given, {}).usable
        if not usable:
            self.rejected["no_identifier"] += 1
        elif line.kind == "event":
            event = Event(EventId(line.id), line.event, line.channel, line.at, line.at, usable)
            yield from self._event(event)
        else:
            yield _request(line, [Sighting(key_of(SECRET, i), i.namespace, i.value) for i in usable])


def _request(line: notation.Line, named: list[Sighting]) -> IdentityMessage:
    version = Version(line.at, line.id)
    if line.kind == "erase":
        return Erase(named[0].key, line.id, line.at)
    if len(named) != 2:
        raise HistoryError(f"{line.id}: {line.kind} is about two usable identifiers")
    a, b = named
    return relink(a, b, version) if line.kind == "link" else unlink(a.key, b.key, version)
