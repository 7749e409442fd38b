"""Numbers, spans and names as they are written in a page."""

import pytest

from app.config import load
from app.console.assets import ASSETS, FOLDER, TYPES, address
from app.console.shapes import CHANNELS, COLOURS, colour, day, icon, shortened, span, stamp
from app.console.texts import LANGUAGE
from app.settings import PACKAGED_CONFIG

MINUTE, DAY = 60_000, 86_400_000


@pytest.mark.parametrize(
    ("milliseconds", "english", "chinese"),
    [
        (0, "0 s", "0 秒"),
        (420, "0.4 s", "0.4 秒"),
        (5_000, "5 s", "5 秒"),
        (12 * MINUTE + 5_999, "12 min 5 s", "12 分 5 秒"),
        (60 * MINUTE, "1 h", "1 小时"),
        (3 * DAY + 4 * 60 * MINUTE + MINUTE, "3 d 4 h", "3 天 4 小时"),
        (3 * DAY + MINUTE, "3 d", "3 天"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(milliseconds: int, english: str, chinese: str) -> None:
    assert (span(milliseconds, LANGUAGE["en"]), span(milliseconds, LANGUAGE["zh"])) == (english, chinese)


def test_a_day_is_written_as_the_language_writes_it() -> None:
    assert day("2024-02-13", LANGUAGE["en"]) == "Tue, 13 February 2024"
    assert day("2024-02-13", LANGUAGE["zh"]) == "2024年2月13日 周二"


def test_a_moment_is_told_to_the_second() -> None:
    assert stamp("2024-02-13T08:30:24.000+08:00") == "2024-02-13 08:30:24"


def test_a_uid_is_shortened_and_nothing_else() -> None:
    assert shortened("u_1a2030e09d21tnoOCoYBb8PRWkE_0rZVIS_D9Mtdm66A") == "u_1a2030…m66A"
    assert shortened("short") == "short"


def test_every_packaged_channel_has_a_colour_and_a_picture_of_its_own() -> None:
    assert set(load(PACKAGED_CONFIG).channels) == set(CHANNELS)
    assert len({colour(name) for name in CHANNELS}) == len(CHANNELS) == COLOURS
    pictures = ASSETS["icons.svg"].body.decode()
    assert [name for name in (*CHANNELS, "pigeon") if f'id="{icon(name)}"' not in pictures] == []


def test_another_channel_has_one_of_the_colours() -> None:
    assert colour("carrier_pigeon") in {f"hue-{n}" for n in range(COLOURS)}


def test_every_file_is_served_and_files_are_few_and_small() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(ASSETS)
    assert sum(len(asset.body) for asset in ASSETS.values()) < 64_000
    assert all(ASSETS[name].content_type == TYPES[f".{name.rpartition('.')[2]}"] for name in ASSETS)


def test_what_a_file_says_is_in_its_address() -> None:
    assert address("main.js").startswith("/console/static/")
    with pytest.raises(AssertionError):
        address("nothing.js")
