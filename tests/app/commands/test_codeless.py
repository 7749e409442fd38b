"""`onetrail codeless`: which elements of a saved page a rule means, before any visitor sees it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.commands import main

CONFIG = """
[identity.namespaces.user_id]
priority = 1
[channels.web]
[[codeless]]
event = "test_drive_click"
page = "/cars/*"
element = "#test-drive"
properties = { model = "@data-model", label = "text" }
[[codeless]]
event = "asked"
page = "/cars/*"
element = "table > tbody td:has(> b) button, .ask"
properties = { label = "text" }
[[codeless]]
event = "resting"
page = "*"
element = "a"
enabled = false
"""
PAGE = """<title>M5</title><button id=test-drive data-model=m5>Book a
   <b>test drive</b></button><table><tr><td><b>!</b><button>Ask us</button></table>
<div contenteditable><span class=ask>my diary</span></div><p class=ask data-private>Ann</p>
<div class=ask><input value=x>mail</div>"""
CARS, NEWS = "https://shop.example.com/cars/m5", "https://shop.example.com/news/1"


@pytest.fixture(name="page")
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = tmp_path / "rules.toml"
    config.write_text(CONFIG)
    monkeypatch.setenv("ONETRAIL_CONFIG", str(config))
    monkeypatch.setenv("ONETRAIL_DATA", str(tmp_path))
    page = tmp_path / "page.html"
    page.write_text(PAGE)
    return page


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["codeless", *map(str, words)])


def tried(page: Path, url: str) -> dict[str, Any]:
    """Event -> its rule, tried out."""
    done = run("--test", page, "--url", url, "--json")
    assert done.exit_code == 0, done.output
    return {rule["event"]: rule for rule in json.loads(done.stdout)["rules"]}


def test_a_rule_means_the_elements_of_its_selector_on_its_pages(page: Path) -> None:
    rules = tried(page, CARS)
    assert rules["test_drive_click"]["elements"] == [
        {
            "element": '<button id="test-drive" data-model="m5">',
            "properties": {"model": "m5", "label": "Book a test drive"},
        }
    ]
    assert [rule["on_this_page"] for rule in rules.values()] == [True, True, False]


def test_a_page_is_read_as_browsers_do_and_what_is_typed_or_private_is_not_told(page: Path) -> None:
    elements = tried(page, CARS)["asked"]["elements"]
    assert [one["properties"]["label"] for one in elements] == ["Ask us", "", "", ""]


def test_on_another_page_a_rule_means_nothing(page: Path) -> None:
    rules = tried(page, NEWS)
    assert [(rule["on_this_page"], rule["elements"]) for rule in rules.values()] == [(False, [])] * 3


def test_a_person_reads_the_same_line_by_line(page: Path) -> None:
    lines = run("--test", page, "--url", CARS).stdout.splitlines()
    assert lines[0] == "test_drive_click  version 1  /cars/*  #test-drive"
    assert lines[1] == "    <button id=\"test-drive\" data-model=\"m5\">  model='m5'  label='Book a test drive'"
    assert lines[-2:] == ["resting  version 1  *  a  (rests: enabled = false)", "    not on this page"]


def test_without_a_page_the_rules_are_listed(page: Path) -> None:
    assert len(run().stdout.splitlines()) == len(json.loads(run("--json").stdout)["rules"]) == 3


def test_a_page_that_is_not_utf_8_is_chinese(page: Path) -> None:
    page.write_bytes('<button id="test-drive">预约试驾</button>'.encode("gbk"))
    assert tried(page, CARS)["test_drive_click"]["elements"][0]["properties"]["label"] == "预约试驾"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--test", "PAGE"], "--test and --url belong together"),
        (["--url", CARS], "--test and --url belong together"),
        (["--test", "PAGE", "--url", "/cars/m5"], "must be an address like"),
        (["--test", "nowhere.html", "--url", CARS], "does not exist"),
    ],
)
def test_a_wrong_call_is_told_in_a_sentence(page: Path, words: list[str], told: str) -> None:
    done = run(*(str(page) if word == "PAGE" else word for word in words))
    assert (done.exit_code, told in done.output) == (2, True)
