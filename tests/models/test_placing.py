"""The codes of regions beside what events tell in words."""

from typing import Any

import msgspec
import pytest

from app.config.regions import all_regions
from models.placing import fields_of, located

FIELDS = fields_of(("address", "province+city+district", "shop.address"))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"address": "北京市朝阳区建国路"}, "110105"),
        ({"province": "广东省", "city": "深圳市", "district": "南山区"}, "440305"),
        ({"province": "广东", "city": "深圳"}, "440300"),
        ({"district": "朝阳区"}, "unknown"),
        ({"address": "朝阳区", "province": "北京市", "district": "朝阳区"}, "110105"),
        ({"shop": {"address": "长春市朝阳区"}}, "220104"),
        ({"address": 440305}, "440305"),
        ({"address": "somewhere"}, "unknown"),
        ({"address": ""}, None),
        ({"address": None}, None),
        ({"address": ["深圳"]}, None),
        ({"other": "深圳"}, None),
        ({}, None),
    ],
)
def test_the_first_field_that_tells_a_region_gives_its_code(given: dict[str, Any], code: str | None) -> None:
    raw = msgspec.json.encode(given)
    found = located(raw, FIELDS, all_regions())
    assert msgspec.json.decode(found) == (given if code is None else given | {"region_code": code})
    assert code is not None or found == raw


def test_a_code_that_an_event_has_stays() -> None:
    raw = b'{"address":"\xe6\xb7\xb1\xe5\x9c\xb3","region_code":"x"}'
    assert located(raw, FIELDS, all_regions()) == raw


def test_a_number_beyond_all_bounds_spoils_nothing() -> None:
    raw = b'{"address":"\xe6\xb7\xb1\xe5\x9c\xb3","n":1e999}'
    assert located(raw, FIELDS, all_regions()) == raw
