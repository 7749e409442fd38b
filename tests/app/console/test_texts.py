"""Every text in every language, every page made of texts alone, and the language that somebody is shown."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from app.config import load
from app.console import texts
from app.console.rendering import TEMPLATES
from app.console.texts import LANGUAGE, TextError, chosen, read
from app.settings import PACKAGED_CONFIG
from models.event import Reason
from models.identity.values import RefusalReason

SOURCES = [*TEMPLATES.glob("*.html"), *Path(texts.__file__).parent.glob("*.py")]
CALLS = re.compile(r"""(?:\bt|\.text|\blanguage|\.counted)\(\s*f?["']([a-z_]+\.[a-z_]*)["']""")
BUILT = ("fault", "request", "why", "unit", "weekday", "month")
"""Sections with texts whose names are put together from what happens."""
NAMED = ("channel", "namespace", "stage", "reason", "refused")
SPOKEN = {"title", "aria-label", "placeholder", "alt"}
JINJA = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)
LETTER = re.compile(r"[^\W\d_]")

each_template = pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)


def used() -> set[str]:
    return {name for path in SOURCES for name in CALLS.findall(path.read_text())}


def holes(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_a_text_says_the_same_holes_in_every_language() -> None:
    english, chinese = LANGUAGE["en"].texts, LANGUAGE["zh"].texts
    assert english.keys() == chinese.keys()
    assert [name for name in english if holes(english[name]) != holes(chinese[name])] == []


def test_chinese_is_chinese() -> None:
    same = {name for name, text in LANGUAGE["en"].texts.items() if LANGUAGE["zh"].texts[name] == text}
    assert same <= {"nav.brand", "sign_in.line", "channel.app", "namespace.distinct_id", "house.within", "house.beyond"}


def test_every_text_that_pages_ask_for_is_there_and_no_other() -> None:
    known = LANGUAGE["en"].texts.keys()
    asked = {name for name in used() if not name.endswith((".", "_"))}
    assert asked - known == set()
    idle = {name for name in known - asked if name.partition(".")[0] not in (*BUILT, *NAMED)}
    assert {name for name in idle if name.removesuffix("_one") not in asked} == set()


def test_what_has_a_name_of_ours_has_a_text() -> None:
    config = load(PACKAGED_CONFIG)
    names = [("channel", name) for name in config.channels]
    names += [("namespace", one.name) for one in config.namespaces.values()]
    names += [("stage", stage.name) for stage in config.stages]
    names += [("reason", name) for name in get_args(Reason)]
    names += [("refused", name) for name in get_args(RefusalReason)]
    assert [f"{kind}.{name}" for kind, name in names if f"{kind}.{name}" not in LANGUAGE["en"].texts] == []


def test_a_name_without_a_text_stands_for_itself() -> None:
    assert LANGUAGE["zh"].named("channel", "wecom") == "企业微信"
    assert LANGUAGE["zh"].named("channel", "carrier_pigeon") == "carrier_pigeon"


def test_one_is_counted_as_one() -> None:
    assert [LANGUAGE["en"].counted("why.link", count) for count in (1, 2, 1200)] == ["1 event", "2 events", "1,200 events"]


def test_a_text_without_a_language_is_named() -> None:
    with pytest.raises(TextError, match=r"find\.go is in en, not in en, zh"):
        read('[find]\ngo = { en = "Find" }')


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("fr, zh;q=0.3, en;q=0.2", "zh"),
        ("ZH-hant", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("*", "en"),
        ("", "en"),
        ("de", "en"),
        (";;;q=,", "en"),
    ],
)
def test_the_language_is_the_one_that_is_liked_best(accepted: str, language: str) -> None:
    assert chosen(accepted) == language


class Words(HTMLParser):
    """What a visitor would read in a template that no text was put into."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in SPOKEN and value]


def raw_words(template: str) -> Iterator[str]:
    parser = Words()
    parser.feed(JINJA.sub("", template))
    yield from (word.strip() for word in parser.found if LETTER.search(word))


@each_template
def test_a_template_holds_no_words_of_its_own(template: Path) -> None:
    assert list(raw_words(template.read_text())) == []


@each_template
def test_a_template_holds_no_script_style_or_other_site(template: Path) -> None:
    text = template.read_text()
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|https?://|\|\s*safe\b|autoescape", text) == []
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_raw_words_are_noticed() -> None:
    assert list(raw_words('<p title="Hello">{{ t("a.b") }} world</p>')) == ["Hello", "world"]
