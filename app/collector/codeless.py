"""The codeless rules as pages get them, from the configuration file as it is now.

The file is looked at when a page asks, at most once a second; when it changed it is read again, and of all that it says only
the rules count: everything else needs a start. A file that breaks a rule changes nothing and is told of once, in one line.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from app.config import ConfigError, load
from models.codeless import CodelessRule, told

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0

Version = tuple[int, int, int]


class Codeless:
    """The rules of a configuration file; `rules` are what it said when the process started."""

    def __init__(self, file: Path, rules: tuple[CodelessRule, ...], now: Callable[[], float] = time.monotonic) -> None:
        self._file, self._rules, self._now = file, rules, now
        self._seen = _version(file)
        self._looked = now()

    def document(self, channel: str) -> bytes:
        """`{"rules": [...]}`: those that hold on the pages of a channel."""
        if self._now() - self._looked >= LOOK_SECONDS:
            self._looked = self._now()
            self._look()
        return msgspec.json.encode({"rules": told(self._rules, channel)})

    def _look(self) -> None:
        version = _version(self._file)
        if version == self._seen:
            return
        self._seen = version
        try:
            self._rules = load(self._file).codeless
        except ConfigError as error:
            log.error("the codeless rules stay as they were: %s", error)
        else:
            log.info("codeless rules read again: %d", len(self._rules))


def _version(file: Path) -> Version | None:
    """What changes with a file; None = it cannot be read."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
