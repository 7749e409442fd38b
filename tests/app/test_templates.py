"""Map files, and what is said of a wrong one."""

from pathlib import Path

import pytest

from app.config import ConfigError
from app.config.templates import load_template
from models.template import REST, Template

GOOD = """
event = "type"
properties = "*"
[identifiers]
phone = "customer.mobile"
[traits]
city = "city"
"""


def template(path: Path, text: str) -> Template:
    (path / "map.toml").write_text(text)
    return load_template(path / "map.toml", ["phone", "user_id"])


def test_a_map_file_gives_places_tables_and_what_is_fixed(tmp_path: Path) -> None:
    assert template(tmp_path, GOOD) == Template(
        places={"event": "type", "properties": REST},
        tables={"identifiers": {"phone": "customer.mobile"}, "traits": {"city": "city"}},
    )
    assert template(tmp_path, '[fixed]\nevent = "paid"\n[identifiers]\nphone = "m"').fixed == {"event": "paid"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "event: must be the place"),
        ('event = "a"', "identifiers: must give the place"),
        ('event = "a"\n[identifiers]\npassport = "p"', "identifiers.passport"),
        ('event = "a."\n[identifiers]\nphone = "p"', "event: must be a dotted place"),
        ('event = "a"\nwhen = "t"\n[identifiers]\nphone = "p"', "when: there is no such key"),
        ('event = "a"\n[identifiers]\nphone = "p"\n[fixed]\nsource = "x"', "fixed.source"),
        ("event = ", "is not TOML"),
    ],
)
def test_a_wrong_one_is_one_line_that_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        template(tmp_path, text)
    assert said in str(error.value)
