"""Rejected records as they are shown, since when, and where a retry sends them."""

from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import click
import pytest

from app.commands.rejected import since_ms
from app.commands.rejected_topic import Place, Refused, Retried, target
from app.config import load
from app.replay import Outgoing
from app.settings import PACKAGED_CONFIG, Settings

EAST = timezone(timedelta(hours=8))
NOW = 1_000_000_000
HEADERS = {"reason": "not_json", "rule": "a record is JSON", "source_partition": "1", "source_offset": "17", "at": "2026-11-22"}


def refused(source: str, raw: bytes | None = b"{") -> Refused:
    return Refused(Place(0, 3), NOW, HEADERS | {"source_topic": source}, raw)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90s", NOW - 90_000),
        ("2h", NOW - 7_200_000),
        ("1d", NOW - 86_400_000),
        ("999999999d", 0),
        ("1970-01-02T00:00:00Z", 86_400_000),
        ("1970-01-02T08:00:00", 86_400_000),
        ("1970-01-02T08:00:00+08:00", 86_400_000),
    ],
)
def test_since_is_a_time_or_an_age(text: str, wanted: int) -> None:
    assert since_ms(text, NOW, EAST) == wanted


@pytest.mark.parametrize("text", ["", "yesterday", "2w", "h", "-1h"])
def test_since_is_nothing_else(text: str) -> None:
    with pytest.raises(click.BadParameter, match="neither a time"):
        since_ms(text, NOW, EAST)


def test_the_document_has_the_headers_and_the_raw_text() -> None:
    assert refused("onetrail.behaviour.web", b'{"a": \xff').document() == {
        "reason": "not_json",
        "rule": "a record is JSON",
        "source_topic": "onetrail.behaviour.web",
        "source_partition": 1,
        "source_offset": 17,
        "at": "2026-11-22",
        "raw": '{"a": \\xff',
    }


def test_a_record_without_value_or_headers_is_shown_too() -> None:
    document = Refused(Place(0, 0), NOW, {}, None).document()
    assert document["raw"] is None
    assert (document["reason"], document["source_offset"]) == ("", None)


@pytest.mark.parametrize(
    ("source", "topic"),
    [
        ("onetrail.behaviour.web", "onetrail.behaviour.web"),
        ("onetrail.behaviour.pulled", "onetrail.behaviour.pulled"),
        ("collector:hotline", "onetrail.behaviour.hotline"),
        ("collector:fax", None),
        ("onetrail.identity.inbox", None),
        ("onetrail.behaviour.rejected", None),
        ("other.behaviour.web", None),
        ("", None),
    ],
)
def test_a_retry_goes_to_the_channel_and_nowhere_else(tmp_path: Path, source: str, topic: str | None) -> None:
    settings = Settings.from_environment({"ONETRAIL_DATA": str(tmp_path)}, generate=False)
    assert target(refused(source), settings, load(PACKAGED_CONFIG)) == topic


def test_a_retry_sends_the_same_bytes_keyed_as_a_replay_would() -> None:
    raw = b'{"identifiers": {"user_id": "42"}}'
    assert refused("", raw).again("t") == Outgoing("t", b"42", raw)
    assert refused("", None).again("t") == Outgoing("t", None, b"", fit=False)


def test_a_retry_of_what_was_pulled_names_its_system_again() -> None:
    pulled = replace(refused("onetrail.behaviour.pulled"), headers={"system": "orders"})
    assert pulled.again("t").headers == (("system", b"orders"),)


def test_what_was_retried_is_remembered_also_after_a_torn_write(tmp_path: Path) -> None:
    with Retried(tmp_path / "places.txt") as retried:
        retried.add([Place(0, 3), Place(1, 3)])
    with (tmp_path / "places.txt").open("a") as file:
        file.write("1 4")
    with Retried(tmp_path / "places.txt") as retried:
        assert Place(1, 4) not in retried
        retried.add([Place(1, 47)])
    with Retried(tmp_path / "places.txt") as retried:
        assert all(place in retried for place in (Place(0, 3), Place(1, 3), Place(1, 47)))
