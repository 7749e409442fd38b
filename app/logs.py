"""How log lines are written: one line a fact, as key=value or as JSON, on standard error.

    at=2026-11-22T08:00:00.123+00:00 level=warning logger=app.sending message="onetrail.behaviour.pulled does not take ..."

Nothing that is logged names a person; should a message of another library do so, what looks like a telephone number, an address
or the like is masked here all the same. A traceback is one more key, its lines joined by \\n.

The Kafka library says the same again and again while Kafka is away. What it says, numbers aside, is told once in
`SPARED_SECONDS`, and afterwards how often it was said meanwhile. All other lines are told.
"""

import logging
import logging.config
import re
from collections.abc import Iterator
from datetime import UTC
from typing import Any, NamedTuple, TextIO

import msgspec

from models.display import rfc3339
from models.masking import Mask, Rules

SPARED = frozenset({"aiokafka"})
"""The libraries that repeat themselves."""
SPARED_SECONDS = 30.0
SAYINGS_MAX = 1_000

_mask = Mask(Rules())
_numbers = re.compile(r"\d+")


class Facts(logging.Formatter):
    """`key=value`; a value is quoted like a JSON text where it is not one word."""

    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{name}={_value(text)}" for name, text in self.facts(record).items())

    def facts(self, record: logging.LogRecord) -> dict[str, str]:
        """What a record says."""
        found = {
            "at": rfc3339(int(record.created * 1000), UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _mask.text(record.getMessage()),
        }
        if record.exc_info:
            found["exception"] = _mask.text(self.formatException(record.exc_info))
        return found


class Json(Facts):
    """A JSON object of the same."""

    def format(self, record: logging.LogRecord) -> str:
        return msgspec.json.encode(self.facts(record)).decode()


class _Said(NamedTuple):
    """Something that a library said: when it was told, and how often it was left out since, the last time as `last`."""

    told: float
    left_out: int
    last: logging.LogRecord


class Repetitions:
    """Which lines of libraries only repeat what was told a moment ago. Time is that of the records, in seconds."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, int, str], _Said] = {}

    def told(self, record: logging.LogRecord) -> Iterator[logging.LogRecord]:
        """What is to be written now: how often something was left out whose time is over, and the record, unless it repeats."""
        yield from self._over(record.created)
        if record.name.partition(".")[0] not in SPARED:
            yield record
            return
        key = record.name, record.levelno, _numbers.sub("0", record.getMessage())
        if (said := self._said.get(key)) is not None:
            self._said[key] = _Said(said.told, said.left_out + 1, record)
            return
        if len(self._said) < SAYINGS_MAX:
            self._said[key] = _Said(record.created, 0, record)
        yield record

    def _over(self, now: float) -> Iterator[logging.LogRecord]:
        """The oldest come first, for each is told at most once in its time; a clock that went back ends all."""
        while self._said:
            key, said = next(iter(self._said.items()))
            if 0 <= now - said.told < SPARED_SECONDS:
                return
            del self._said[key]
            if said.left_out:
                again = logging.makeLogRecord({**said.last.__dict__, "exc_info": None, "exc_text": None})
                again.msg, again.args = (
                    f"{said.last.getMessage()} (the last of {said.left_out} such lines that were left out)",
                    (),
                )
                yield again


class Sparing(logging.StreamHandler[TextIO]):
    """Writes lines to a stream, without the repetitions of libraries."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._repetitions = Repetitions()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            for told in self._repetitions.told(record):
                super().emit(told)
        except Exception:  # as the standard handler does: whoever logs must not fail because of it
            self.handleError(record)


def config_of(form: str) -> dict[str, Any]:
    """The configuration of `logging`; `form` is text or json."""
    formatter = "app.logs.Json" if form == "json" else "app.logs.Facts"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"facts": {"()": formatter}},
        "handlers": {"standard error": {"class": "app.logs.Sparing", "formatter": "facts", "stream": "ext://sys.stderr"}},
        "root": {"level": "INFO", "handlers": ["standard error"]},
    }


def set_up(form: str) -> None:
    """For this process, from now on."""
    logging.config.dictConfig(config_of(form))


def _value(text: str) -> str:
    is_word = text.isascii() and text.isprintable() and text != "" and not set(text) & set(' "=\\')
    return text if is_word else msgspec.json.encode(text).decode()
