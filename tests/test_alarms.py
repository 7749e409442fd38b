"""Alarms and the dashboard: well formed, and every alarm has its section in the guide for operators.

Their metrics are held against a running system in tests/real/test_safety.py.
"""

import json
import re
from typing import Any

import pytest
import yaml

from tests.markdown import ROOT, Document

ALERTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "docker" / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "docker" / "grafana-dashboard.json").read_text())
GUIDE = Document("OPERATING.md")
QUERIES = [
    *(alert["expr"] for alert in ALERTS),
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
]


def metrics_asked_for() -> set[str]:
    """The names of our metrics, and of those of processes, in all queries."""
    return {name for query in QUERIES for name in re.findall(r"\b(?:onetrail|process)_[a-z_]+", re.sub(r'"[^"]*"', "", query))}


def test_every_alarm_has_its_section_in_the_guide_and_every_section_its_alarm() -> None:
    sections = re.findall(r"^### (\w+)$", GUIDE.text, re.MULTILINE)
    assert sections == [alert["alert"] for alert in ALERTS]
    assert [name for name in sections if not GUIDE.text.split(f"### {name}\n")[1].strip()[:1].isalnum()] == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alarm_says_what_is_wrong_how_bad_it_is_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert alert.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["runbook"] == f"OPERATING.md#{alert['alert'].lower()}"
    assert alert["annotations"]["summary"]
    assert re.fullmatch(r"[0-9]+[smh]", alert.get("for", "1m"))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_balanced(query: str) -> None:
    bare = re.sub(r'"[^"]*"', "", query)
    for opening, closing in ("()", "[]", "{}"):
        assert bare.count(opening) == bare.count(closing)


def test_a_dashboard_has_panels_that_do_not_lie_on_each_other() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places) > 20
