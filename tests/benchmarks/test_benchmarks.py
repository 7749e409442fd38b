"""That the load is what it claims to be, and that tables and history say what was measured. Nothing here judges a speed."""

import asyncio
import json
from collections import Counter
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.benchmarks import journey, latency, lookup, recovery, report, scale, sizing, workers
from tests.benchmarks.asking import Waited, asked
from tests.benchmarks.behaviour import EVENTS_PER_PERSON, HOT_EVERY, SHAPES, linking, newcomers, of_one, steady, visits
from tests.benchmarks.delay import Delay
from tests.benchmarks.machine import Figure
from tests.benchmarks.report import ratios, remember, table
from tests.benchmarks.site import serving
from tests.markdown import ROOT, Document
from tests.ports import LOOPBACK, free_port_pair

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


# More loads


@pytest.mark.parametrize("shape", SHAPES)
def test_events_without_news_are_of_people_who_are_there(shape: str) -> None:
    people = {found["anonymous_id"] for found in identifiers(SHAPES[shape](COUNT, 50, "s"))}
    assert people <= {found["anonymous_id"] for found in identifiers(list(newcomers(50)))}


def test_a_visit_is_of_ten_events() -> None:
    seen = Counter(found["anonymous_id"] for found in identifiers(visits(20_000, 1_000_000, "s")))
    assert {count % EVENTS_PER_PERSON for count in seen.values()} == {0}, "somebody may come twice"


def test_a_hot_session_has_every_fifth_event() -> None:
    seen = Counter(found["anonymous_id"] for found in identifiers(SHAPES["hot"](COUNT, 1_000_000, "s")))
    assert seen.most_common(1)[0][1] == COUNT // HOT_EVERY


def test_a_long_journey_has_pauses() -> None:
    times = [json.loads(event)["occurred_at"] for event in of_one(3 * EVENTS_PER_PERSON, 1, "s")]
    assert sum(later - earlier > 3_600_000 for earlier, later in pairwise(times)) == 2


# Tables and history

ONE, TWO = Waited(1.0, 2.0, 3.0, 100), Waited(2.0, 4.0, 6.0, 100)
SHARES = (0.1, 0.05)
EACH = {"the topic": 1.0, "inboxes": 2.0}
CROWDS = [
    scale.Crowd(people, Figure(10, 1.0, 0.01), {shape: [Figure(10, 1.0, cpu)] for shape in SHAPES}, 100.0, 90.0, 0.1, EACH, EACH)
    for people, cpu in ((10, 0.001), (500, 0.002))
]
TABLES = {
    "lookup": lookup.table({("idle", lookup.OURS_NAME): [TWO], ("idle", lookup.BASE_NAME): [ONE]}),
    "journey": journey.table([Figure(10, 1.0, 0.01)], {("GET", journey.SHORT): [ONE], ("GET", 1_000): [TWO]}),
    "latency": latency.table({200: [Delay(1.0, 2.0, 3.0, SHARES)]}),
    "workers": workers.table(
        {workers.Case(1, "steady"): [Figure(10, 2.0, 0.01)], workers.Case(2, "steady"): [Figure(10, 1.0, 0.01)]}
    ),
    "scale": scale.table(CROWDS),
    "recovery": recovery.table(
        {recovery.OURS_NAME: [recovery.Read(10, 1e6, 1.0)], recovery.STOCK_NAME: [recovery.Read(10, 1e6, 5.0)]}
    ),
}


@pytest.mark.parametrize("what", TABLES)
def test_a_row_has_as_many_columns_as_its_head(what: str) -> None:
    rows = [line for line in TABLES[what] if line.startswith("|")]
    assert len(rows) > 2
    assert len({row.count("|") for row in rows}) == 1


def test_a_row_shows_its_multiple_of_the_baseline() -> None:
    assert TABLES["lookup"][2].endswith("| 2.0 ms | 6.0 ms | 2.0 |")
    assert "| 6.0 ms | 2.00 |" in TABLES["journey"][3]
    assert TABLES["workers"][3].endswith("| 2.00 | 1.00 |")
    assert TABLES["recovery"][2].endswith("| 5.0 |")
    assert scale.ratios(CROWDS)["500 people, visits"] == pytest.approx({"10 people": 2.0})


def test_history_tells_what_got_worse_and_keeps_kinds_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "HISTORY", tmp_path / "history.jsonl")
    assert remember("lookup", {"idle": {"constant": 2.0}}) == []
    assert remember("scale", {"idle": {"constant": 9.0}}) == []
    assert remember("lookup", {"idle": {"constant": 2.1}}) == []
    assert remember("lookup", {"idle": {"constant": 3.0}}) == [
        "slower than before: idle takes 3.00 x constant, 2.05 x in the last runs"
    ]


@pytest.mark.parametrize("what", [*TABLES, "__main__", "collector", "sizing"])
def test_a_measurement_says_what_it_measures(what: str) -> None:
    told = CliRunner().invoke(import_module(f"tests.benchmarks.{what}").main, ["--help"])
    assert told.exit_code == 0, told.output


def test_answers_are_timed(tmp_path: Path) -> None:
    port = free_port_pair()
    words = ["tests.benchmarks.bare_web", str(port), "100"]
    with serving(words, f"http://{LOOPBACK}:{port}/", tmp_path / "log"):
        waited = asyncio.run(asked(port, ["/a", "/b"], 0.05))
    assert 0 < waited.p50_ms <= waited.p95_ms <= waited.p99_ms
    assert waited.answers > 0


# Sizing

GUIDE = Document("OPERATING.md")


def test_the_guide_computes_from_what_it_states() -> None:
    computed = sizing.table(sizing.PEOPLE, sizing.RATE, sizing.stated(GUIDE))
    assert "\n".join(computed) in GUIDE.section(sizing.SECTION)


def test_where_a_slope_was_measured_is_a_measurement() -> None:
    named = {line.split("WHAT=")[1].split("`")[0] for line in GUIDE.section(sizing.SECTION).splitlines() if "WHAT=" in line}
    assert {what for what in named if not (ROOT / "tests" / "benchmarks" / f"{what}.py").exists()} == set()


def test_twice_the_events_take_twice_the_cores_and_no_less_of_anything() -> None:
    given = sizing.stated(GUIDE)
    some, more = sizing.sized(1e8, 50_000, given), sizing.sized(1e8, 100_000, given)
    cores = "cores that workers keep busy"
    assert float(more[cores]) == pytest.approx(2 * float(some[cores]), abs=0.1)
    assert int(more["workers"]) >= int(some["workers"])
