"""The status screen."""

import io
from typing import Any

from rich.console import Console

from app.commands.status import show

DOCUMENT: dict[str, Any] = {
    "settled": False,
    "lag": {"onetrail.behaviour.web": 0, "onetrail.people.inbox": 17},
    "workers": [{"url": "http://127.0.0.1:6066", "partitions": [0, 2]}, {"url": "http://127.0.0.1:6067", "partitions": []}],
    "frozen_clusters": 3,
    "events": 31106,
    "rejected": {"bad_time": 2, "not_json": 1},
}


def screen(document: dict[str, Any]) -> str:
    shown = io.StringIO()
    show(document, Console(file=shown, width=100, highlight=False))
    return shown.getvalue()


def test_all_of_it_is_on_one_screen() -> None:
    text = screen(DOCUMENT)
    wanted = [
        "not settled",
        "31,106 events",
        "3 rejected",
        "3 clusters",
        "127.0.0.1:6067",
        "0 2",
        "bad_time",
        "people.inbox",
        "17",
    ]
    assert [word for word in wanted if word not in text] == []
    assert len(text.splitlines()) <= 24


def test_a_topic_without_lag_needs_no_line() -> None:
    assert "behaviour.web" not in screen(DOCUMENT)


def test_when_all_is_done_it_says_so() -> None:
    text = screen(DOCUMENT | {"settled": True, "lag": {"onetrail.behaviour.web": 0}, "rejected": {}})
    assert text.startswith("settled\n")
    assert "none in 1 topics" in text
    assert "Rejected: none" in text
