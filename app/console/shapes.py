"""How numbers, spans of time and names look in a page: filters of the templates. Pure."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zlib import crc32

from app.console.texts import Language

CHANNELS = (
    "web",
    "app",
    "mini_program",
    "wechat",
    "wecom",
    "online_hall",
    "palm_hall",
    "hotline",
    "online_service",
    "marketing",
    "store",
    "iot",
)
"""Channels with an icon and a colour of their own; any other gets one of the colours by its name."""
COLOURS = 12
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000))


def span(milliseconds: int, language: Language) -> str:
    """A duration in its two largest units: `3 d 4 h`, `12 min 5 s`, `0.4 s`."""
    if milliseconds < 1_000:
        return f"{milliseconds / 1000:.1f} {language('unit.s')}" if milliseconds else f"0 {language('unit.s')}"
    left = milliseconds
    parts: list[tuple[int, str]] = []
    for name, size in UNITS:
        count, left = divmod(left, size)
        if parts or count:
            parts.append((count, language(f"unit.{name}")))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count)


def within(seconds: float | None, language: Language) -> str:
    """A bound of durations: `≤ 50 ms`; a dash where there is none."""
    if seconds is None:
        return language("house.beyond")
    shown = span(round(seconds * 1000), language) if seconds >= 1 else f"{seconds * 1000:g} {language('unit.ms')}"
    return language("house.within", time=shown)


def grouped(number: float) -> str:
    """`31,106`."""
    return f"{number:,}"


def colour(channel: str) -> str:
    """The class that gives a channel its colour."""
    number = CHANNELS.index(channel) if channel in CHANNELS else crc32(channel.encode()) % COLOURS
    return f"hue-{number}"


def icon(channel: str) -> str:
    """The picture of a channel, in the sheet of pictures."""
    return f"i-{channel}" if channel in CHANNELS else "i-other"


def stamp(text: str) -> str:
    """`2026-11-22 16:00:00` of a time in RFC 3339."""
    return f"{text[:10]} {text[11:19]}"


def day(iso: str, language: Language) -> str:
    """A date with its weekday, as the language writes it."""
    at = date.fromisoformat(iso)
    names = {"weekday": language(f"weekday.{at.weekday()}"), "month": language(f"month.{at.month}")}
    return language("time.day", year=at.year, day=at.day, **names)


def shortened(uid: str) -> str:
    """A uid as far as people compare them."""
    return uid if len(uid) <= 14 else f"{uid[:8]}…{uid[-4:]}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "span": span,
    "within": within,
    "grouped": grouped,
    "colour": colour,
    "icon": icon,
    "stamp": stamp,
    "day": day,
    "shortened": shortened,
}
