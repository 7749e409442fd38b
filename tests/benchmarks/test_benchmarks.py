"""That the load is what it claims to be, and that the table says what was measured."""

import json
from collections import Counter

import pytest

from tests.benchmarks.behaviour import EVENTS_PER_PERSON, linking, steady
from tests.benchmarks.machine import Figure
from tests.benchmarks.report import ratios, table

COUNT = 1_000
FIGURES = {
    "new links": [Figure(100, 1.0, 0.03), Figure(100, 2.0, 0.02), Figure(100, 4.0, 0.01)],
    "steady": [Figure(100, 1.0, 0.01)],
    "bare": [Figure(100, 0.1, 0.001)],
    "stock": [Figure(100, 2.0, 0.04)],
}


def identifiers(events: list[bytes]) -> list[dict[str, str]]:
    return [json.loads(event)["identifiers"] for event in events]


def test_one_event_in_ten_is_a_new_link() -> None:
    links = Counter(tuple(found.values()) for found in identifiers(linking(COUNT)) if len(found) == 2)
    assert (len(links), set(links.values())) == (COUNT // EVENTS_PER_PERSON, {1})


def test_the_steady_state_has_no_new_link_and_nobody_new() -> None:
    before = {tuple(found.values()) for found in identifiers(linking(COUNT))}
    after = {tuple(found.values()) for found in identifiers(steady(COUNT, known=COUNT))}
    assert after == before


def test_no_event_comes_twice() -> None:
    ids = [json.loads(event)["event_id"] for event in linking(COUNT) + steady(COUNT, known=COUNT)]
    assert len(set(ids)) == 2 * COUNT


def test_medians_are_compared_with_each_baseline() -> None:
    assert ratios(FIGURES)["new links"] == pytest.approx({"bare": 20.0, "stock": 0.5})
    assert ratios(FIGURES)["steady"] == pytest.approx({"bare": 10.0, "stock": 0.25})


def test_the_table_is_what_a_reader_of_markdown_expects() -> None:
    first, ruler, *rows = table(FIGURES, {"collect": 1.25}).split("\n\n")[0].splitlines()
    assert {line.count("|") for line in (first, ruler, *rows)} == {6}
    assert rows[0] == "| whole chain, every tenth event a new link | 50 | 200.0 us | 20.0 | 0.5 |"
