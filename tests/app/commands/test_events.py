"""`onetrail events`: names as they came, beside the register."""

import io
from collections import Counter

from rich.console import Console

from app.commands.events import NAMES_MAX, OTHERS, counted, items_of, show
from app.config import load
from app.settings import PACKAGED_CONFIG

CONFIG = load(PACKAGED_CONFIG)


def test_each_name_is_listed_with_the_one_in_the_register_and_its_version() -> None:
    found = {"web": Counter({("add_to_cart", "加购"): 3, ("foo_bar", "foo_bar"): 1})}
    assert items_of(CONFIG, found) == [
        {"channel": "web", "event": "add_to_cart", "told": "加购", "count": 3, "registered": True, "version": 1},
        {"channel": "web", "event": "foo_bar", "told": "foo_bar", "count": 1, "registered": False, "version": None},
    ]


def test_who_makes_names_up_does_not_fill_the_memory() -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for number in range(NAMES_MAX + 5):
        counted(counts, (f"n{number}", f"n{number}"))
    counted(counts, ("n1", "n1"))
    assert (len(counts), counts[OTHERS, OTHERS], counts["n1", "n1"]) == (NAMES_MAX + 1, 5, 2)


def test_for_people_it_is_a_table_of_what_is_asked_for_under_the_sum_of_all() -> None:
    console = Console(file=io.StringIO(), width=100)
    items = items_of(CONFIG, {"web": Counter({("foo_bar", "foo_bar"): 2, ("search", "search"): 1})})
    show(items, items[:1], console)
    told = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO
    assert "3 events, 2 of them not registered" in told
    assert "not registered" in told.split("foo_bar", 1)[1]
    assert "search" not in told
