"""Spellings of identifier values: which are one, and which name nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.normalise import NORMALISERS, digits, email, imei, names_nobody, phone

PHONES = [
    ("138 0013 8000", "+8613800138000"),
    ("13800138000", "+8613800138000"),
    ("+8613800138000", "+8613800138000"),
    ("+86 138-0013-8000", "+8613800138000"),
    ("0086-138-0013-8000", "+8613800138000"),
    ("8613800138000", "+8613800138000"),
    ("(86) 138 0013 8000", "+8613800138000"),
    ("013800138000", "+8613800138000"),
    ("tel:+86-138-0013-8000", "+8613800138000"),
    ("１３８００１３８０００", "+8613800138000"),
    ("＋86 138\u20110013\u20118000", "+8613800138000"),
    ("\u202d138 0013 8000\u202c", "+8613800138000"),  # as copied out of an address book
    ("010-6552 9988", "+861065529988"),
    ("(0757) 8888 6666", "+8675788886666"),
    ("+86 757 8888 6666", "+8675788886666"),
    ("+86 (0)757 8888 6666", "+8675788886666"),
    ("400-820-8820", "+864008208820"),
    ("+1 (415) 555-2671", "+14155552671"),
    ("0044 20 7946 0958", "+442079460958"),
    ("+44 (0)20 7946 0958", "+442079460958"),
    ("+852 5123 4567", "+85251234567"),
]
NO_PHONES = [
    *("138****8000", "1380013800", "138001380000", "23800138000", "10800138000", "95598", "110", "88886666", "757 8888 6666"),
    *("+86 12345", "+86", "+", "00", "+0 415 555 2671", "+1234567890123456", "call me", "13800138000 ext 5", "-1", ""),
    *("13800138000,13900139000", "1.38E+10", "一三八〇〇一三八〇〇〇", "+138 0013 8000x", "++8613800138000"),
]


@pytest.mark.parametrize(("written", "meant"), PHONES)
def test_a_phone_has_one_spelling(written: str, meant: str) -> None:
    assert phone(written) == meant


@pytest.mark.parametrize("written", NO_PHONES)
def test_what_could_be_two_phones_or_none_is_refused(written: str) -> None:
    assert phone(written) is None


def test_an_email_is_written_small() -> None:
    assert email("Li.Lei@Example.COM") == "li.lei@example.com"


@pytest.mark.parametrize(
    "written", ["", "li.lei", "@example.com", "li@", "li@a@b", "li lei@a.cn", "li@.cn", "li@a..cn", "li@a.cn."]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    assert email(written) is None


@pytest.mark.parametrize(
    ("written", "meant"), [("12-34 56", "123456"), ("00 12", "0012"), ("１２３", "123"), ("12.34/5_6", "123456")]
)
def test_digits_lose_what_stands_between_them(written: str, meant: str) -> None:
    assert digits(written) == meant


@pytest.mark.parametrize("written", ["", "-", "SH-0012345", "12a", "-12", "12,5", "१२"])
def test_letters_are_not_lost_for_they_tell_accounts_apart(written: str) -> None:
    assert digits(written) is None


@pytest.mark.parametrize("written", ["490154203237518", "49-015420-323751-8", " 490154203237518"])
def test_an_imei_is_fifteen_digits_with_the_right_check_digit(written: str) -> None:
    assert imei(written) == "490154203237518"


@pytest.mark.parametrize("written", ["490154203237517", "49015420323751", "4901542032375180", "49015420323751X", ""])
def test_a_wrong_imei_is_refused(written: str) -> None:
    assert imei(written) is None


NOBODY = [
    *(
        "",
        "0",
        "000",
        "00000000-0000-0000-0000-000000000000",
        "-",
        "--",
        "-1",
        "0.0",
        "null",
        "NULL",
        "None",
        "(null)",
        "undefined",
    ),
    *("Anonymous", "guest", "UNKNOWN", "NaN", "n/a", "nil", "False", "true", "[object Object]", "游客", "未知", "torn \ufffd"),
]


@pytest.mark.parametrize("value", NOBODY)
def test_these_values_name_nobody(value: str) -> None:
    assert names_nobody(value)


@pytest.mark.parametrize("value", ["42", "1", "10", "-2", "nullius", "guest-17", "truely", "o-0", "0a0"])
def test_these_values_name_somebody(value: str) -> None:
    assert not names_nobody(value)


NUMBERISH = st.from_regex(r"(\+|00|tel:)?[0-9 ()./_-]{0,20}", fullmatch=True)


@given(st.text(max_size=20) | NUMBERISH)
def test_a_spelling_is_its_own_spelling(written: str) -> None:
    for normalise in NORMALISERS.values():
        once = normalise(written.strip())
        assert once is None or normalise(once) == once


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", "+86", "0086", "86", "0"]),
    st.sampled_from(["", " ", "-"]),
)
def test_one_mobile_is_one_however_it_is_written(number: str, before: str, between: str) -> None:
    assert phone(between.join([before, number[:3], number[3:7], number[7:]]).strip()) == f"+86{number}"


@given(st.from_regex(r"[0-9]{14}", fullmatch=True))
def test_exactly_one_check_digit_is_right(number: str) -> None:
    assert sum(imei(f"{number}{digit}") is not None for digit in range(10)) == 1
