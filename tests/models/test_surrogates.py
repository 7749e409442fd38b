"""Half a character in a text of JSON."""

import json

import pytest

from models.surrogates import mended


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (rb'"\n"', "\n"),
    ],
)
def test_half_a_character_is_replaced_and_nothing_else(written: bytes, text: str) -> None:
    assert json.loads(mended(written)) == text
