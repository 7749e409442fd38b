"""Log lines: one a fact, whatever is in it, and nobody's number."""

import json
import logging
import shlex
import sys

import pytest

from app.logs import Facts, Json


def record(message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    why = None
    if failed:
        try:
            raise ValueError("of 13800138000\nsecond line")
        except ValueError:
            why = sys.exc_info()
    return logging.LogRecord("app.sink", logging.WARNING, __file__, 1, message, arguments, why)


def test_a_line_has_keys_and_values() -> None:
    line = Facts().format(record("Kafka at %s is away", "k:9092"))
    told = dict(part.split("=", 1) for part in shlex.split(line))
    assert told["at"].endswith("+00:00")
    assert (told["level"], told["logger"], told["message"]) == ("warning", "app.sink", "Kafka at k:9092 is away")


@pytest.mark.parametrize("form", [Facts(), Json()])
def test_whatever_is_said_is_one_line_and_names_nobody(form: logging.Formatter) -> None:
    line = form.format(record('a "quoted"\nmessage = of %s', "li@x.example", failed=True))
    assert "\n" not in line
    assert "Traceback" in line
    assert "13800138000" not in line
    assert "li@x" not in line


def test_json_says_the_same() -> None:
    told = json.loads(Json().format(record("of %d", 3, failed=True)))
    assert told.keys() == {"at", "level", "logger", "message", "exception"}
    assert told["message"] == "of 3"
