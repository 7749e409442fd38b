"""`onetrail clean --dry-run`: verdicts, rules and changed fields of the events in a file, and what other rules would change."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.commands import main
from app.settings import PACKAGED_CONFIG

ANN = {"user_id": "ann", "device_id": "d1"}
AT = "2026-11-22T12:00:00+08:00"
GOOGLE = {"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
REGIONS = '\n[regions]\nproperties = ["address"]\n'


def told(event: str = "search", **more: Any) -> dict[str, Any]:
    return {"event_id": "e", "event": event, "occurred_at": AT, "identifiers": ANN} | more


def click(event_id: str, second: int) -> dict[str, Any]:
    at = 1_767_240_000_000 + second * 1_000
    return told("element_clicked", event_id=event_id, occurred_at=at, properties={"element": "#a"})


def cleaned(directory: Path, events: list[Any], *arguments: str, packed: bool = False) -> Any:
    lines = "\n".join(event if isinstance(event, str) else json.dumps(event, ensure_ascii=False) for event in events).encode()
    path = directory / ("events.jsonl.gz" if packed else "events.jsonl")
    path.write_bytes(gzip.compress(lines) if packed else lines)
    result = CliRunner().invoke(main, ["clean", "--dry-run", str(path), "--json", *arguments])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def own(directory: Path, name: str, text: str) -> str:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("event", "verdict", "rule", "changed"),
    [
        (told(), "accepted", None, None),
        (told("addCart"), "accepted", None, {"event": {"from": "addCart", "to": "add_to_cart"}}),
        (
            told(identifiers={"phone": "138 0013 8000"}),
            "accepted",
            None,
            {"identifiers": {"from": {"phone": "138 0013 8000"}, "to": {"phone": "+8613800138000"}}},
        ),
        (
            told(occurred_at="2026-11-22 12:00:00"),
            "accepted",
            None,
            {"occurred_at": {"from": "2026-11-22 12:00:00", "to": "2026-11-22T12:00:00.000+08:00"}},
        ),
        (told(properties={"address": "朝阳区"}), "accepted", None, {"properties.region_code": {"from": None, "to": "unknown"}}),
        (told(context=GOOGLE), "crawler", "crawler 1: robots are no customers", {}),
        (
            told("page_viewed", properties={"duration_ms": 999}),
            "view_too_short",
            "view_too_short 1: a view counts from 1000 ms on",
            {},
        ),
        ("{", "not_json", "a record is one JSON object in UTF-8", {}),
    ],
)
def test_each_event_has_its_verdict_with_the_rule_and_its_changed_fields(
    tmp_path: Path, event: Any, verdict: str, rule: str | None, changed: Any
) -> None:
    config = own(tmp_path, "own.toml", PACKAGED_CONFIG.read_text(encoding="utf-8") + REGIONS)
    (run,) = cleaned(tmp_path, [event], "--config", config)["runs"]
    if changed is None:
        assert run["items"] == []
    else:
        (item,) = run["items"]
        assert (item["verdict"], item["rule"], item["changed"]) == (verdict, rule, changed)
    assert (run["events"], run["accepted"]) == (1, int(verdict == "accepted"))


@pytest.mark.parametrize("packed", [False, True])
def test_repeated_clicks_and_duplicates_are_found_in_the_whole_file(tmp_path: Path, packed: bool) -> None:
    events = [click("c", 70), click("a", 0), click("b", 30), click("b", 30), told("foo_bar")]
    (run,) = cleaned(tmp_path, events, packed=packed)["runs"]
    assert run["turned_away"] == {"duplicate": 1, "repeated_click": 1}
    turned = [(one["line"], one["verdict"]) for one in run["items"] if one["verdict"] != "accepted"]
    assert turned == [(3, "repeated_click"), (4, "duplicate")]
    assert run["unregistered"] == {"foo_bar": 1}


def test_two_configurations_show_what_the_second_would_change(tmp_path: Path) -> None:
    packaged = PACKAGED_CONFIG.read_text(encoding="utf-8")
    off = own(tmp_path, "off.toml", packaged + "\n[cleaning.rules.crawler]\nenabled = false\n")
    found = cleaned(tmp_path, [told(context=GOOGLE), told(event_id="x")], "--config", str(PACKAGED_CONFIG), "--config", off)
    (difference,) = found["differences"]
    assert (difference["line"], difference["before"]["verdict"], difference["after"]["verdict"]) == (1, "crawler", "accepted")


def test_what_cannot_be_done_is_said_in_one_line(tmp_path: Path) -> None:
    path = own(tmp_path, "events.jsonl", json.dumps(told()))
    no_flag = CliRunner().invoke(main, ["clean", path])
    assert (no_flag.exit_code, "give --dry-run" in no_flag.output) == (2, True)
    no_channel = CliRunner().invoke(main, ["clean", "--dry-run", path, "--channel", "wb"])
    assert (no_channel.exit_code, "there is no channel 'wb'" in no_channel.output) == (2, True)


@pytest.mark.parametrize("command", [["clean", "--dry-run"], ["simulate"]])
@pytest.mark.parametrize("fault", ["none of it", "cut off", "damaged"])
def test_a_packed_file_that_cannot_be_read_is_one_line(tmp_path: Path, command: list[str], fault: str) -> None:
    packed = gzip.compress(b"\n".join(json.dumps(told(event_id=str(number))).encode() for number in range(2_000)))
    half = len(packed) // 2
    broken = {"none of it": b"no gzip", "cut off": packed[:half], "damaged": packed[:half] + b"\xff" * 64 + packed[half + 64 :]}
    path = tmp_path / "broken.jsonl.gz"
    path.write_bytes(broken[fault])
    result = CliRunner().invoke(main, [*command, str(path)])
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert "broken.jsonl.gz" in result.stderr.splitlines()[-1]


def test_for_people_it_is_a_line_each(tmp_path: Path) -> None:
    path = own(tmp_path, "events.jsonl", "\n".join(map(json.dumps, (told("addCart"), told(event_id="x", context=GOOGLE)))))
    result = CliRunner().invoke(main, ["clean", "--dry-run", path])
    assert 'line 1: accepted; event "addCart" -> "add_to_cart"' in result.output
    assert "line 2: crawler (crawler 1: robots are no customers)" in result.output
