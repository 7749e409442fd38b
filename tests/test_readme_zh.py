"""The Chinese README says what the English one says: the same commands, names and figures, section by section."""

import re
from itertools import zip_longest

import pytest

from tests.markdown import Document

ENGLISH, CHINESE = Document("README.md"), Document("README.zh.md")
FIGURE = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")


def sections(document: Document) -> list[str]:
    """The texts between headings, blocks included."""
    return re.split(r"^## .*\n", document.text, flags=re.MULTILINE)


def tables(text: str) -> list[list[str]]:
    """Rows of tables: what stands in backticks, and the figures."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[*re.findall(r"`([^`]+)`", row), *FIGURE.findall(re.sub(r"`[^`]*`", "", row))] for row in rows]


def names(text: str) -> set[str]:
    """Commands, variables and files that are quoted."""
    return {quoted for quoted in re.findall(r"`([^`\n]+)`", text) if re.match(r"make |onetrail |ONETRAIL_|[\w.]+/", quoted)}


def test_both_have_the_same_blocks() -> None:
    assert CHINESE.blocks == ENGLISH.blocks


def test_both_have_the_same_sections() -> None:
    assert len(sections(CHINESE)) == len(sections(ENGLISH))


PAIRS = list(zip_longest(sections(ENGLISH), sections(CHINESE), fillvalue=""))


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=[f"section {number}" for number in range(len(PAIRS))])
def test_a_section_has_the_same_tables_commands_and_links(english: str, chinese: str) -> None:
    assert tables(chinese) == tables(english)
    assert names(chinese) == names(english)
    assert set(re.findall(r"\]\(((?!README)[^)]+)\)", chinese)) == set(re.findall(r"\]\(((?!README)[^)]+)\)", english))


def test_the_figures_of_the_prose_are_the_same() -> None:
    """Dates and numbers in words may differ; what is written in digits may not."""
    assert sorted(FIGURE.findall(CHINESE.prose)) == sorted(FIGURE.findall(ENGLISH.prose))


def test_each_leads_to_the_other() -> None:
    assert "(README.zh.md)" in ENGLISH.prose
    assert "(README.md)" in CHINESE.prose
