"""Rejected records as they are shown, since when, and where a retry sends them."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import click
import pytest

from app.commands.rejected import Wanted, in_order, since_ms
from app.commands.rejected_topic import Place, Refused, Retried
from app.commands.retrying import Retrying
from app.config import load, policy_of
from app.replay import Outgoing
from app.settings import PACKAGED_CONFIG, Settings
from models.event import Event
from models.parse import parse
from tests.models.test_parse import AT

EAST = timezone(timedelta(hours=8))
NOW = 1_000_000_000
CONFIG = load(PACKAGED_CONFIG)
HEADERS = {
    "reason": "not_json",
    "rule": "a record is JSON",
    "source_partition": "1",
    "source_offset": "17",
    "at": "2026-11-22T12:00:00+08:00",
}


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
        "at": HEADERS["at"],
        "raw": '{"a": \\xff',
    }


def test_a_record_without_value_or_headers_is_shown_too() -> None:
    document = Refused(Place(0, 0), NOW, {}, None).document()
    assert document["raw"] is None
    assert (document["reason"], document["source_offset"]) == ("", None)


def test_they_are_listed_by_when_they_came_whatever_partition_they_lie_in() -> None:
    times = {(0, 1): "2026-11-22T12:00:02+08:00", (0, 2): "2026-11-22T12:00:04+08:00", (1, 1): "2026-11-22T04:00:03Z"}
    items = [Refused(Place(*place), NOW, {"at": at}, b"{") for place, at in times.items()]
    unsaid = Refused(Place(1, 0), NOW, {}, b"{")
    assert [item.place for item in in_order([*items, unsaid])] == [(1, 0), (0, 1), (1, 1), (0, 2)]


@pytest.fixture
def retrying(tmp_path: Path) -> Retrying:
    settings = Settings.from_environment({"ONETRAIL_DATA": str(tmp_path), "ONETRAIL_PII_KEY": "a key for tests, long enough"})
    return Retrying(settings, CONFIG)


@pytest.mark.parametrize(
    ("source", "topic"),
    [
        ("onetrail.behaviour.web", "onetrail.behaviour.web"),
        ("onetrail.behaviour.pulled", "onetrail.behaviour.pulled"),
        ("collector:hotline", "onetrail.behaviour.hotline"),
        ("collector:fax", None),
        ("onetrail.people.inbox", None),
        ("onetrail.behaviour.rejected", None),
        ("other.behaviour.web", None),
        ("", None),
    ],
)
def test_a_retry_goes_to_the_channel_and_nowhere_else(retrying: Retrying, source: str, topic: str | None) -> None:
    aimed = retrying.aimed(refused(source))
    assert (aimed.topic if aimed else None) == topic


def test_a_retry_sends_the_same_bytes_keyed_as_a_replay_would(retrying: Retrying) -> None:
    raw = b'{"identifiers": {"user_id": "42"}, "occurred_at": 1790000000}'
    topic = "onetrail.behaviour.web"
    assert retrying.aimed(refused(topic, raw)) == Outgoing(topic, b"42", raw)
    assert retrying.aimed(refused(topic, None)) == Outgoing(topic, None, b"", fit=False)


def test_a_retry_keeps_the_time_of_when_it_came_first(retrying: Retrying) -> None:
    said = {"event": "x", "occurred_at": "2026-11-21T10:00:00Z", "sent_at": "2026-11-21T10:00:05Z"}
    raw = json.dumps(said).encode()
    item = replace(refused("onetrail.behaviour.web", raw), headers=HEADERS | {"source_topic": "onetrail.behaviour.web"})
    aimed = retrying.aimed(replace(item, headers={**item.headers, "at": "2026-11-21T18:00:08.000+08:00"}))
    assert aimed is not None
    assert json.loads(aimed.value) == {**said, "occurred_at": "2026-11-21T10:00:03.000+00:00", "sent_at": None}


SEGMENT = {"type": "track", "event": "login", "userId": "42", "timestamp": "2026-11-21T10:00:00Z", "messageId": "m"}


@pytest.mark.parametrize(
    ("protocol", "frame", "message", "event"),
    [
        ("segment", "", SEGMENT, "login"),
        (
            "segment",
            '{"kind": "page"}',
            {"anonymousId": "a", "messageId": "m", "timestamp": "2026-11-21T10:00:00Z"},
            "page_viewed",
        ),
        ("posthog", '{"sent_at": "2026-11-21T10:00:00Z"}', {"event": "seen", "distinct_id": "d", "uuid": "m"}, "seen"),
        ("sensors", "", {"type": "track", "event": "seen", "distinct_id": "d", "time": 1790000000000}, "seen"),
        ("canonical", "", {"event": "seen", "identifiers": {"user_id": "1"}, "event_id": "m"}, "seen"),
    ],
)
def test_what_the_collector_refused_is_read_by_its_protocol(
    retrying: Retrying, protocol: str, frame: str, message: dict[str, Any], event: str
) -> None:
    told = HEADERS | {"source_topic": "collector:web", "protocol": protocol, "frame": frame}
    aimed = retrying.aimed(Refused(Place(0, 3), NOW * 1_000, told, json.dumps(message).encode()))
    assert aimed is not None
    found = json.loads(aimed.value)
    assert (aimed.topic, found["event"]) == ("onetrail.behaviour.web", event)
    assert found["event_id"] == "m" or protocol == "sensors"
    assert isinstance(parse(aimed.value, policy_of(CONFIG, CONFIG.channels["web"]), AT, NOW * 2_000), Event)


def test_what_is_still_no_message_of_its_protocol_is_not_sent(retrying: Retrying) -> None:
    told = HEADERS | {"source_topic": "collector:web", "protocol": "segment"}
    assert retrying.aimed(Refused(Place(0, 3), NOW, told, b'{"type": "unheard of"}')) is None


def test_an_unbinding_is_the_request_that_it_would_have_been(retrying: Retrying) -> None:
    told = HEADERS | {"source_topic": "collector:web", "protocol": "sensors"}
    message = {"type": "track_id_unbind", "identities": {"$identity_login_id": "1", "$identity_mobile": "13800138000"}}
    aimed = retrying.aimed(Refused(Place(0, 3), NOW, told, json.dumps(message).encode()))
    assert aimed is not None
    assert (aimed.topic, json.loads(aimed.value)["type"]) == ("onetrail.requests", "unlink")


def test_a_retry_of_what_was_pulled_names_its_system_again(retrying: Retrying) -> None:
    pulled = refused("onetrail.behaviour.pulled")
    aimed = retrying.aimed(replace(pulled, headers={**pulled.headers, "system": "orders"}))
    assert aimed is not None
    assert aimed.headers == (("system", b"orders"),)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Wanted(), True),
        (Wanted(reason="not_json"), True),
        (Wanted(reason="bad_time"), False),
        (Wanted(channel="web"), True),
        (Wanted(channel="app"), False),
        (Wanted(rule="IS JSON"), True),
        (Wanted(rule="blocked"), False),
    ],
)
def test_what_is_wanted_is_told_by_reason_channel_and_rule(wanted: Wanted, fits: bool) -> None:
    assert wanted.fits(refused("collector:web"), "web") == fits


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
