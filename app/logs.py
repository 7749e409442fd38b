"""How log lines are written: one line a fact, as key=value or as JSON, on standard error.

    at=2026-11-22T08:00:00.123+00:00 level=warning logger=app.sending message="onetrail.behaviour.pulled does not take ..."

Nothing that is logged names a person; should a message of another library do so, what looks like a telephone number, an address
or the like is masked here all the same. A traceback is one more key, its lines joined by \\n.
"""

import logging
import logging.config
from datetime import UTC
from typing import Any

import msgspec

from models.display import rfc3339
from models.masking import Mask, Rules

_mask = Mask(Rules())


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


def config_of(form: str) -> dict[str, Any]:
    """The configuration of `logging`; `form` is text or json."""
    formatter = "app.logs.Json" if form == "json" else "app.logs.Facts"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"facts": {"()": formatter}},
        "handlers": {"standard error": {"class": "logging.StreamHandler", "formatter": "facts", "stream": "ext://sys.stderr"}},
        "root": {"level": "INFO", "handlers": ["standard error"]},
    }


def set_up(form: str) -> None:
    """For this process, from now on."""
    logging.config.dictConfig(config_of(form))


def _value(text: str) -> str:
    is_word = text.isascii() and text.isprintable() and text != "" and not set(text) & set(' "=\\')
    return text if is_word else msgspec.json.encode(text).decode()
