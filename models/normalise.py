"""One spelling for each identifier value, and the values that name nobody.

A normaliser takes text without spaces around it and gives its one spelling, or None for what cannot be such a value.
All are idempotent: a spelling is its own. Where a guess could make one person of two, there is no guess: a telephone number
without its area code, or letters in a number, give None.
"""

import re
from collections.abc import Callable, Mapping
from unicodedata import normalize

Normaliser = Callable[[str], str | None]

NOBODY = frozenset(
    {
        *(
            "-1",
            "null",
            "(null)",
            "none",
            "nil",
            "undefined",
            "anonymous",
            "guest",
            "unknown",
            "nan",
            "n/a",
            "na",
            "false",
            "true",
        ),
        # What faulty scripts send in place of a value, after PostHog's list of refused ids.
        *("[object object]", "not_authenticated", "distinct_id", "distinctid", "anonymous_id", "user_id", "id", "email"),
        *("匿名", "匿名用户", "游客", "访客", "未知", "无", "空"),
    }
)
_NOBODY_LENGTH_MAX = max(map(len, NOBODY))
_LOST_CHARACTER = "\ufffd"

_ADDRESS = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)*")
_BETWEEN_DIGITS = re.compile(r"[\s()./_\u00b7\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2060\u2212\ufeff-]+")
_DIGITS = re.compile(r"[0-9]+")
_CHINA = r"(?:(?:\+|00)?86)"
_CHINA_MOBILE = re.compile(_CHINA + r"?0?(1[3-9][0-9]{9})")
_CHINA_FIXED = r"(10[0-9]{8}|[2-9][0-9]{9,10})"
_CHINA_LANDLINE = re.compile(_CHINA + "?0" + _CHINA_FIXED + r"|(?:\+|00)86" + _CHINA_FIXED + "|([48]00[0-9]{7})")
_ABROAD = re.compile(r"(?:\+|00)(?!86)([1-9][0-9]{6,14})")


def names_nobody(value: str) -> bool:
    """Whether a value is on the built-in block list: empty, zeros and dashes, words for nothing, or torn text."""
    if len(value) <= _NOBODY_LENGTH_MAX and value.casefold() in NOBODY:
        return True
    return not value.strip("0-. _") or _LOST_CHARACTER in value


def plain(text: str) -> str | None:
    """The text itself."""
    return text


def lower(text: str) -> str | None:
    """In small letters."""
    return text.lower()


def email(text: str) -> str | None:
    """In small letters, of the form `somebody@somewhere`."""
    address = text.lower()
    return address if _ADDRESS.fullmatch(address) else None


def digits(text: str) -> str | None:
    """Digits alone; between them may be spaces and the usual marks, nothing else."""
    compact = _BETWEEN_DIGITS.sub("", _narrow(text))
    return compact if _DIGITS.fullmatch(compact) and not text.startswith("-") else None


def imei(text: str) -> str | None:
    """15 digits, of which the last checks the others (ISO/IEC 7812 annex B, Luhn)."""
    number = digits(text)
    if number is None or len(number) != 15:
        return None
    doubled = (int(digit) * 2 for digit in number[1::2])
    total = sum(map(int, number[0::2])) + sum(value // 10 + value % 10 for value in doubled)
    return number if total % 10 == 0 else None


def phone(text: str) -> str | None:
    """E.164 (`+8613800138000`); a number without its country is one of China, and needs its area code."""
    written = _narrow(text).removeprefix("tel:")
    if written.startswith(("+", "00")):
        written = written.replace("(0)", "")  # +44 (0)20: the zero is for callers at home
    number = _BETWEEN_DIGITS.sub("", written)
    mobile = _CHINA_MOBILE.fullmatch(number)
    if mobile:
        return f"+86{mobile[1]}"
    landline = _CHINA_LANDLINE.fullmatch(number)
    if landline:
        return f"+86{landline[1] or landline[2] or landline[3]}"
    abroad = _ABROAD.fullmatch(number)
    return f"+{abroad[1]}" if abroad else None


def _narrow(text: str) -> str:
    """Full-width digits and signs, as Chinese keyboards write them, become the usual ones."""
    return text if text.isascii() else normalize("NFKC", text)


NORMALISERS: Mapping[str, Normaliser] = {
    "none": plain,
    "lower": lower,
    "email": email,
    "phone": phone,
    "digits": digits,
    "imei": imei,
}
