"""The section `[[codeless]]`: what it gives, and the one line that each broken rule gives."""

from pathlib import Path

import pytest

from app.config import ConfigError, load
from app.settings import PACKAGED_CONFIG
from models.codeless import CodelessRule

SMALL = """
[identity.namespaces.user_id]
priority = 1
[channels.web]
[channels.app]
[[codeless]]
"""
RULE = {"event": '"e"', "page": '"/cars/*"', "element": '"#a"'}


def rule_of(folder: Path, **changes: str | None) -> CodelessRule:
    path = folder / "own.toml"
    lines = [f"{key} = {value}" for key, value in {**RULE, **changes}.items() if value is not None]
    path.write_text(SMALL + "\n".join(lines), encoding="utf-8")
    (rule,) = load(path).codeless
    return rule


def test_a_rule_has_defaults(tmp_path: Path) -> None:
    assert rule_of(tmp_path) == CodelessRule("e", ("/cars/*",), "#a", {}, 1, True, frozenset())


def test_every_key_is_read(tmp_path: Path) -> None:
    rule = rule_of(
        tmp_path,
        page='["/cars/*", "/vans"]',
        element='"form:has(.buy) > button:not([disabled])"',
        properties='{ model = "@data-model", label = "text" }',
        version="3",
        enabled="false",
        channels='["app"]',
    )
    properties = {"model": "@data-model", "label": "text"}
    selector = "form:has(.buy) > button:not([disabled])"
    assert rule == CodelessRule("e", ("/cars/*", "/vans"), selector, properties, 3, False, frozenset({"app"}))


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("event", None, "event: must be a name of at most 200 characters, and it is missing"),
        ("event", f'"{"x" * 201}"', "event: must be a name of at most 200 characters"),
        ("page", None, "page: must be a list of texts, and it is missing"),
        ("page", "[]", 'page: must name pages, such as "/cars/*"'),
        ("element", None, "element: must be a CSS selector, and it is missing"),
        ("element", '"##a"', "element: must be a CSS selector, such as #test-drive or button.buy, not '##a'"),
        ("element", '"a:contains(x)"', "element: must be a CSS selector"),
        ("properties", '{ a = "html" }', 'properties.a: must be "text" or an attribute such as "@data-model", not \'html\''),
        ("properties", '{ a = "@VALUE" }', "properties.a: must not be @value: what visitors type is not read"),
        ("version", "0", "version: must be a whole number from 1"),
        ("enabled", '"yes"', "enabled: must be true or false, not 'yes'"),
        ("channels", '["wep"]', "channels: 'wep' is not a declared channel; did you mean 'web'?"),
        ("selector", '"a"', "selector: there is no such key"),
    ],
)
def test_a_broken_rule_is_one_line(tmp_path: Path, key: str, value: str | None, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        rule_of(tmp_path, **{key: value})
    assert str(error.value).startswith(f"{tmp_path / 'own.toml'}: codeless[1].{told}")
    assert "\n" not in str(error.value)


def test_the_packaged_example_has_a_rule() -> None:
    assert [rule.event for rule in load(PACKAGED_CONFIG).codeless] == ["test_drive_click"]
