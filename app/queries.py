"""The query strings of the lookups: what may be asked, and a 400 that names the parameter for what may not."""

from datetime import tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from multidict import MultiMapping

from app.web import Refusal
from models.timeline import Filter, place
from models.times import instant
from tables.journey import Window

LIMIT_DEFAULT, LIMIT_MAX = 100, 1000
MOMENT_MAX = 253_402_214_400_000
"""31 December 9999: RFC 3339 can write it in every zone."""


class JourneyQuery(NamedTuple):
    """Which page of a journey."""

    window: Window
    wanted: Filter
    limit: int


def journey_query(query: MultiMapping[str], zone: tzinfo) -> JourneyQuery:
    """`from` (inclusive), `to` (exclusive), `channel`, `event` (repeatable), `order`, `limit`, `cursor`."""
    walk = walk_query(query)
    window = walk.window._replace(since=moment(query, "from", zone), before=moment(query, "to", zone))
    return walk._replace(window=window, wanted=Filter(_several(query, "channel"), _several(query, "event")))


def walk_query(query: MultiMapping[str]) -> JourneyQuery:
    """`order`, `limit`, `cursor`: of everything."""
    order = once(query, "order")
    if order not in (None, "asc", "desc"):
        raise Refusal("bad_request", "order is asc or desc")
    cursor = once(query, "cursor")
    try:
        after = place(cursor) if cursor else None
    except ValueError as error:
        raise Refusal("bad_request", f"cursor: {error}") from None
    return JourneyQuery(Window(after=after, descending=order == "desc"), Filter(), _limit(query))


def once(query: MultiMapping[str], name: str) -> str | None:
    """The value of a parameter that may be given once; None where it is not."""
    given = query.getall(name, [])
    if len(given) > 1:
        raise Refusal("bad_request", f"{name} is given {len(given)} times; give it once")
    return given[0] if given else None


def zone_of(query: MultiMapping[str], default: tzinfo) -> tzinfo:
    """The zone in which times are shown, and read where they have no offset: `tz`, a name of the time zone database."""
    name = once(query, "tz")
    if name is None:
        return default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refusal("bad_request", f"tz is a time zone like Asia/Shanghai, not {name!r}") from None


def is_live(query: MultiMapping[str]) -> bool:
    """Whether `live` asks for what business systems know."""
    text = once(query, "live")
    if text not in (None, "true", "false"):
        raise Refusal("bad_request", f"live is true or false, not {text!r}")
    return text == "true"


def moment(query: MultiMapping[str], name: str, zone: tzinfo) -> int | None:
    """A time in UTC milliseconds; None when it is not asked for. A `+` in a query arrives as a space."""
    text = once(query, name)
    if text is None:
        return None
    at = instant(text.replace(" ", "+") if "T" in text else text, zone)
    if at is None or at > MOMENT_MAX:
        raise Refusal("bad_request", f"{name} is a time in RFC 3339, not {text!r}")
    return at


def _several(query: MultiMapping[str], name: str) -> frozenset[str]:
    return frozenset(part for value in query.getall(name, []) for part in value.split(",") if part)


def _limit(query: MultiMapping[str]) -> int:
    given = once(query, "limit")
    text = str(LIMIT_DEFAULT) if given is None else given
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LIMIT_MAX):
        raise Refusal("bad_request", f"limit is a number from 1 to {LIMIT_MAX}, not {text!r}")
    return int(text)
