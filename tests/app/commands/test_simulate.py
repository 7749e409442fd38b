"""`onetrail simulate`: persons, refused links, and what other rules would change, from a file alone."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.commands import main
from app.settings import PACKAGED_CONFIG

STORY = """
t1 store phone:13800138000 member_id:m7
t2 wecom phone:13800138000 wecom_external_userid:w9
t3 web phone:13800138000 anonymous_id:c1
t4 web anonymous_id:c2
t5 web user_id:1 anonymous_id:tablet
t6 web user_id:2 anonymous_id:tablet
"""


def simulated(*arguments: str) -> Any:
    result = CliRunner().invoke(main, ["simulate", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def written(directory: Path, name: str, text: str) -> str:
    path = directory / name
    path.write_text(text)
    return str(path)


def test_a_history_in_notation_gives_persons_and_refused_links(tmp_path: Path) -> None:
    (run,) = simulated(written(tmp_path, "story", STORY))["runs"]
    assert run["largest"][0] == ["anonymous_id:c1", "member_id:m7", "phone:+8613800138000", "wecom_external_userid:w9"]
    assert (run["events"], run["persons"], run["sizes"]) == (6, 4, {"1": 2, "2": 1, "4": 1})
    assert run["refused_links"] == [{"identifiers": ["anonymous_id:tablet", "user_id:2"], "reason": "limit"}]


def test_an_unlink_in_the_history_parts_them(tmp_path: Path) -> None:
    (run,) = simulated(written(tmp_path, "story", STORY + "t7 unlink phone:13800138000 member_id:m7\n"))["runs"]
    assert ["member_id:m7"] in run["largest"]


@pytest.mark.parametrize("packed", [False, True])
def test_canonical_events_are_read_by_the_rules_of_a_channel(tmp_path: Path, packed: bool) -> None:
    good = {"event": "seen", "identifiers": {"user_id": "42", "phone": "138 0013 8000"}}
    lines = "\n".join([json.dumps(good), "no json", json.dumps({"event": "seen", "identifiers": {"phone": "0000"}})])
    path = tmp_path / ("events.jsonl.gz" if packed else "events.jsonl")
    path.write_bytes(gzip.compress(lines.encode()) if packed else lines.encode())
    (run,) = simulated(str(path))["runs"]
    assert run["largest"] == [["phone:+8613800138000", "user_id:42"]]
    assert run["rejected"] == {"blocked_identifier": 1, "not_json": 1}


def test_two_configurations_are_compared(tmp_path: Path) -> None:
    lenient = written(tmp_path, "lenient.toml", PACKAGED_CONFIG.read_text().replace("limit = 1", "limit = 2"))
    document = simulated(written(tmp_path, "story", STORY), "--config", str(PACKAGED_CONFIG), "--config", lenient)
    assert document["difference"] == {
        "same": 2,
        "only_first": 2,
        "only_second": 1,
        "before": [["user_id:2"], ["anonymous_id:tablet", "user_id:1"]],
        "after": [["anonymous_id:tablet", "user_id:1", "user_id:2"]],
    }


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"t1 web 'user_id:1", "story: a quotation or a \\ does not end: t1 web 'user_id:1"),
        (b"t1 web \xff", "story is neither JSON Lines nor text in UTF-8"),
    ],
)
def test_what_cannot_be_read_is_told_in_words_of_its_own(tmp_path: Path, raw: bytes, said: str) -> None:
    (tmp_path / "story").write_bytes(raw)
    result = CliRunner().invoke(main, ["simulate", str(tmp_path / "story")])
    assert result.exit_code == 1
    assert result.stderr.strip() == f"onetrail: {tmp_path / said}"


@pytest.mark.parametrize("text", ["t1 web", "x web user_id:1", "t1 link user_id:1"])
def test_a_line_that_says_nothing_is_named(tmp_path: Path, text: str) -> None:
    result = CliRunner().invoke(main, ["simulate", written(tmp_path, "story", text)])
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1
