"""Log lines: one a fact, whatever is in it, and nobody's number."""

import io
import json
import logging
import shlex
import sys

import pytest

from app.logs import SPARED_SECONDS, Facts, Json, Repetitions, Sparing


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


AWAY = "Unable connect to node with id %d: %s"


def said(at: float, *arguments: object, name: str = "aiokafka.conn", message: str = AWAY) -> logging.LogRecord:
    told = logging.LogRecord(name, logging.ERROR, __file__, 1, message, arguments, None)
    told.created = at
    return told


def written(*records: logging.LogRecord) -> list[str]:
    repetitions = Repetitions()
    return [told.getMessage() for record in records for told in repetitions.told(record)]


def test_what_a_library_says_a_thousand_times_is_told_once_and_then_counted() -> None:
    storm = [said(n / 100, n % 3, "refused") for n in range(1000)]
    assert written(*storm) == ["Unable connect to node with id 0: refused"]
    _, count, again = written(*storm, said(SPARED_SECONDS, 7, "refused"))
    assert count == "Unable connect to node with id 0: refused (the last of 999 such lines that were left out)"
    assert again == "Unable connect to node with id 7: refused"


def test_the_end_of_a_storm_is_counted_by_whatever_is_said_next() -> None:
    told = written(said(0, 1, "refused"), said(1, 1, "refused"), said(SPARED_SECONDS, name="app.sink", message="Kafka is back"))
    assert told[1:] == [
        "Unable connect to node with id 1: refused (the last of 1 such lines that were left out)",
        "Kafka is back",
    ]


def test_what_is_something_else_is_told() -> None:
    assert len(written(said(0, 1, "refused"), said(0, 1, "timed out"), said(0, 1, "refused", name="aiokafka.cluster"))) == 3


def test_our_own_lines_are_all_told() -> None:
    for name in ("app", "app.sink", "agents.collect", "tables.rows"):
        assert len(written(*[said(0, 1, "refused", name=name) for _ in range(9)])) == 9


def test_a_clock_that_goes_back_silences_nothing() -> None:
    assert len(written(said(1e9, 1, "refused"), said(5, 1, "refused"))) == 2


def test_the_handler_spares_its_stream() -> None:
    stream = io.StringIO()
    handler = Sparing(stream)
    for _ in range(5):
        handler.handle(said(0, 1, "refused"))
    assert stream.getvalue().count("refused") == 1


def test_a_message_that_does_not_fit_its_arguments_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    Sparing(io.StringIO()).handle(said(0, 1, 2, 3))
    assert "Logging error" in capsys.readouterr().err
