"""On which pages a codeless rule holds, and what pages get to know of it."""

import pytest

from models.codeless import CodelessRule, is_on, told

RULE = CodelessRule("test_drive_click", ("/cars/*",), "#test-drive")


@pytest.mark.parametrize(
    ("page", "url", "holds"),
    [
        ("/cars/*", "https://shop.example.com/cars/m5", True),
        ("/cars/*", "https://www.shop.example.com:443/cars/m5?color=red#photos", True),
        ("/cars/*", "https://shop.example.com/cars", True),
        ("/cars/*", "https://shop.example.com/carsharing", False),
        ("/cars/*", "https://shop.example.com/news/1", False),
        ("/cars/*", "https://shop.example.com/news?from=/cars/m5", False),
        ("/cars/m5", "https://shop.example.com/cars/m5", True),
        ("/cars/m5", "https://shop.example.com/cars/m55", False),
        ("https://shop.example.com/*", "http://www.shop.example.com/cars", True),
        ("https://shop.example.com/*", "https://other.example.com/cars", False),
        ("/app#/cars/*", "https://shop.example.com/app#/cars/m5?x=1", True),
        ("/汽车/*", "https://shop.example.com/%E6%B1%BD%E8%BD%A6/m5", True),
        ("/汽车/*", "https://shop.example.com/汽车/m5", True),
        ("*", "https://shop.example.com/any/thing", True),
        ("/a.b(c)*", "https://shop.example.com/a.b(c)d", True),
        ("/a.b(c)*", "https://shop.example.com/axb(c)d", False),
    ],
)
def test_a_rule_holds_on_the_pages_of_its_pattern(page: str, url: str, holds: bool) -> None:
    assert is_on(CodelessRule("e", (page,), "a"), url) is holds


def test_a_rule_of_several_patterns_holds_on_the_pages_of_each() -> None:
    rule = CodelessRule("e", ("/cars/*", "/vans"), "a")
    assert [is_on(rule, f"http://x{path}") for path in ("/cars/1", "/vans", "/vans/1", "/carsx")] == [True, True, False, False]


def test_pages_get_the_rules_of_their_channel_that_are_enabled() -> None:
    of_app = CodelessRule("b", ("/",), "a", channels=frozenset({"app"}))
    off = CodelessRule("c", ("/",), "a", enabled=False)
    assert [rule["event"] for rule in told((RULE, of_app, off), "web")] == ["test_drive_click"]
    assert [rule["event"] for rule in told((RULE, of_app, off), "app")] == ["test_drive_click", "b"]


def test_a_page_gets_an_expression_instead_of_a_pattern() -> None:
    (rule,) = told((RULE,), "web")
    assert rule["page"] == "^(?:[^/]*/cars(?:/.*)?)$"
    assert (rule["element"], rule["properties"], rule["version"]) == ("#test-drive", {}, 1)
