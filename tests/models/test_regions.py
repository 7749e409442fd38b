"""Regions by their names and codes: what is clear gets its code, everything else is unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config.regions import all_regions
from models.regions import UNKNOWN, Regions


@pytest.fixture(scope="module")
def regions() -> Regions:
    return all_regions()


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("广东省深圳市南山区", "440305"),
        ("北京市朝阳区", "110105"),
        ("长春市朝阳区", "220104"),
        ("朝阳区", UNKNOWN),
        ("广东省深圳市南山区深南大道1号", "440305"),
        ("广东省 - 深圳市 - 南山区", "440305"),
        ("中国广东省广州市", "440100"),
        ("深圳", "440300"),
        ("广东深圳", "440300"),
        ("深圳大学", UNKNOWN),
        ("长春路123号", UNKNOWN),
        ("北京路", UNKNOWN),
        ("上海浦东新区", "310115"),
        ("新疆乌鲁木齐", "650100"),
        ("内蒙古呼和浩特", "150100"),
        ("北京市市辖区海淀区", "110108"),
        ("北京市北京市海淀区", "110108"),
        ("吉林", "220000"),
        ("吉林市", "220200"),
        ("海南", "460000"),
        ("湖北省仙桃市", "429004"),
        ("东莞市", "441900"),
        ("广东省南山区", "440305"),
        ("昆山市", "320583"),
        ("南京市鼓楼区", "320106"),
        ("徐州市鼓楼区", "320302"),
        ("鼓楼区", UNKNOWN),
        ("朝阳", UNKNOWN),
        ("台湾省", "710000"),
        ("香港特别行政区", "810000"),
        ("440305", "440305"),
        (440305, "440305"),
        ("110105000000", "110105"),
        ("110103", "110101"),
        ("110228", "110118"),
        ("999999", UNKNOWN),
        ("Foshan", UNKNOWN),
        ("39.92,116.44", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
        (True, UNKNOWN),
        ({"city": "深圳"}, UNKNOWN),
    ],
)
def test_a_region_that_is_clear_has_its_code(regions: Regions, told: object, code: str) -> None:
    assert regions.code_of(told) == code


def test_every_successor_is_a_region_of_today_and_no_other_way_round(regions: Regions) -> None:
    for old, new in regions._successors.items():
        assert regions.code_of(new) == new
        assert regions.code_of(old) == new != old


def test_every_region_is_found_by_its_full_address(regions: Regions) -> None:
    def address(code: str) -> str:
        levels = dict.fromkeys((code[:2] + "0000", code[:4] + "00", code))
        return "".join(regions._names.get(level, "") for level in levels)

    wrong = {code: address(code) for code in regions._names if regions.code_of(address(code)) != code}
    assert wrong == {}


@given(told=st.text(alphabet=st.sampled_from("北京上海市朝阳区深圳吉林省县中国 1路a"), max_size=12) | st.text() | st.integers())
def test_whatever_is_told_gives_a_code_or_unknown(told: object) -> None:
    code = all_regions().code_of(told)
    assert code == UNKNOWN or (len(code) == 6 and code.isdigit())
