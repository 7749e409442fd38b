"""Instants out of what senders write: RFC 3339 in all its dialects, or an epoch in seconds or milliseconds.

An instant is UTC milliseconds, 0 or more. What is no date, or lies before 1970, is None and never a guess.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SECONDS_END = 10**11
"""A number below is taken for seconds (until the year 5138), any other for milliseconds (from 1973 on)."""

_NUMBER = re.compile(r"[0-9]{9,}(\.[0-9]+)?")
"""As text only from 1973 on: a shorter one is rather a year, or a date without its dashes."""

_DATE = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?:[Tt ]+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r" ?(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)


def instant(value: object, zone: tzinfo) -> int | None:
    """The instant that a value of an event names; without an offset of its own it is a time in `zone`."""
    if isinstance(value, str):
        return _of_text(value, zone)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_epoch(value)
    return None


def _of_text(text: str, zone: tzinfo) -> int | None:
    if text[4:5] == "-" and text[7:8] == "-" and text[10:11] in ("T", " ", ""):
        try:
            return _since_epoch(datetime.fromisoformat(text), zone)
        except ValueError:
            pass
    return _of_dialect(text.strip(), zone)


def _since_epoch(moment: datetime, zone: tzinfo) -> int | None:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    milliseconds = (aware - _EPOCH) // _MILLISECOND
    return milliseconds if milliseconds >= 0 else None


def _of_epoch(number: float) -> int | None:
    if number < 0:
        return None
    return round(number) if number >= _SECONDS_END else round(number * 1_000)


def _of_dialect(text: str, zone: tzinfo) -> int | None:
    """What the standard library does not read: unpadded months, lower-case letters, leap seconds, numbers as text."""
    if _NUMBER.fullmatch(text):
        return _of_epoch(float(text) if "." in text else int(text[:30]))
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    leap = found["second"] == "60"
    second = "59" if leap else found["second"] or "0"
    padded = [f"{int(part or 0):02}" for part in (found["month"], found["day"], found["hour"], found["minute"], second)]
    month, day, hour, minute, second = padded
    offset = (found["zone"] or "").upper()
    try:
        moment = datetime.fromisoformat(
            f"{found['year']}-{month}-{day}T{hour}:{minute}:{second}.{found['fraction'] or '0'}{offset}"
        )
    except ValueError:
        return None
    return _since_epoch(moment + timedelta(seconds=leap), zone)
