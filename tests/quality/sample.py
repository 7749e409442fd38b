"""The sample: records of several channels, valid and faulty side by side, each with its label. The same ones each time."""

import json
from collections.abc import Iterator
from itertools import count, cycle
from random import Random
from typing import Any, NamedTuple

from tests.quality import cases

SEED = 20_240_201
VALID = 480
CLICK_MS = 1_706_718_600_000


class Labelled(NamedTuple):
    """A record and what it means: the reason why it is turned away, or None and its standard fields."""

    channel: str
    raw: bytes
    reason: str | None
    fields: dict[str, Any]


def sample() -> list[Labelled]:
    """Some 700 records."""
    random, numbers = Random(SEED), count(1)
    return [*_valid(random, numbers), *_faulty(random, numbers), *_clicks(numbers)]


def _valid(random: Random, numbers: Iterator[int]) -> Iterator[Labelled]:
    regions, names = cycle(cases.REGIONS), {channel: cycle(some) for channel, some in cases.NAMES.items()}
    for number in range(VALID):
        channel = random.choice(("web", "web", "app", "store", "crm"))
        region = cases.HARD_REGIONS[number % 2] if number % 160 == 80 else next(regions)
        name = cases.HARD_NAMES[number % 2] if number % 160 == 120 else next(names[channel])
        yield _record(random, next(numbers), channel, name, region)


def _record(random: Random, number: int, channel: str, name: cases.Case, region: cases.Case) -> Labelled:
    """A valid record with something of every kind."""
    time, page, view = random.choice(cases.TIMES), random.choice(cases.PAGES), random.choice(cases.VIEWS)
    if random.random() < 0.3 and name not in cases.HARD_NAMES:
        name = cases.Case("PAGE" if channel == "crm" else "浏览", "page_viewed")
    fields = {
        "event": name.meant,
        "occurred_at": time.meant,
        "region_code": region.meant,
        "business_system": page.meant,
        "duration_ms": view.meant,
    }
    given, fields["identifiers"], fields["dropped"] = _names(random, number, channel)
    told = {
        "event_id": f"q{number}",
        "event": name.written,
        "occurred_at": time.written,
        "identifiers": given,
        "properties": {**region.written, **view.written},
        "context": {"page": page.written, "userAgent": random.choice(cases.CUSTOMERS)},
    }
    return Labelled(channel, _written(channel, told), None, fields)


def _names(random: Random, number: int, channel: str) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Identifiers as a channel writes them, what they mean, and the namespaces that are left out."""
    called = {"web": ("userId", "mobile"), "app": ("uid", "phone")}.get(channel, ("user_id", "phone"))
    given: dict[str, Any] = {called[0]: f" u{number} " if number % 5 == 0 else f"u{number}"}
    meant, dropped = {"user_id": f"u{number}"}, list[str]()
    kinds = [("phone", cases.PHONES), ("email", cases.EMAILS)] + ([("imei", cases.IMEIS)] if channel != "crm" else [])
    for namespace, some in random.sample(kinds, random.randint(1, len(kinds))):
        case = random.choice(some)
        given[called[1] if namespace == "phone" else namespace] = case.written
        if case.meant is None:
            dropped.append(namespace)
        else:
            meant[namespace] = case.meant
    if random.random() < 0.1:
        given["device_id" if channel != "crm" else called[0]] = random.choice(cases.NOBODY)
        if channel == "crm":
            del meant["user_id"]
        dropped.append("device_id" if channel != "crm" else "user_id")
    return given, meant, sorted(dropped)


def _written(channel: str, told: dict[str, Any]) -> bytes:
    if channel == "crm":
        names = told["identifiers"]
        customer = {"id": names.get("user_id"), "mobile": names.get("phone"), "mail": names.get("email")}
        told = {
            "type": told["event"],
            "meta": {"uuid": told["event_id"], "created": told["occurred_at"]},
            "customer": customer,
            "payload": told["properties"],
            "client": told["context"],
        }
    return json.dumps(told, ensure_ascii=False).encode()


def _faulty(random: Random, numbers: Iterator[int]) -> Iterator[Labelled]:
    """Each fault several times, in records that are right but for it."""
    faults: list[tuple[str, str, Any]] = [
        *(("occurred_at", "bad_time", bad) for bad in cases.BAD_TIMES),
        *(("occurred_at", "future_time", far) for far in ("2099-01-01T00:00:00Z", 4_070_908_800)),
        *(("identifiers", "blocked_identifier", {"user_id": nobody}) for nobody in cases.NOBODY),
        *(("identifiers", "blocked_identifier", {"phone": bad}) for bad in cases.NO_PHONES),
        *(("identifiers", "too_many_identifiers", {"device_id": [f"d{n}" for n in range(21)]}) for _ in range(2)),
        *(("view", "view_too_short", short) for short in cases.SHORT_VIEWS),
        *(("view", "bad_time", wrong) for wrong in cases.IMPOSSIBLE_VIEWS),
        *(("agent", "crawler", robot) for robot in (*cases.ROBOTS, *cases.HARD_ROBOTS)),
        *(("agent", "test_traffic", tester) for tester in cases.TESTERS),
        ("mode", "test_traffic", "test"),
        ("event", "bad_event", "x" * 201),
        ("padding", "too_large", "x" * 32_768),
    ]
    for _ in range(3):
        for place, reason, value in faults:
            right = _record(random, next(numbers), "web", cases.NAMES["web"][0], cases.REGIONS[0])
            yield Labelled("web", _spoiled(json.loads(right.raw), place, value), reason, {})
        for raw, reason in cases.BROKEN:
            yield Labelled("web", raw, reason, {})


def _spoiled(told: dict[str, Any], place: str, value: Any) -> bytes:
    match place:
        case "view":
            told["event"] = "page_viewed"
            told["properties"] = value
        case "agent":
            told["context"]["userAgent"] = value
        case "mode" | "padding":
            told["properties"][place] = value
        case _:
            told[place] = value
    return json.dumps(told, ensure_ascii=False).encode()


def _clicks(numbers: Iterator[int]) -> Iterator[Labelled]:
    """Devices that click one element at 0, 30, 59.999, 70 and 130 s; the second and the third only repeat."""
    for device in range(12):
        for at, reason in ((0, None), (30_000, "repeated_click"), (59_999, "repeated_click"), (70_000, None), (130_000, None)):
            names = {"device_id": f"clicker{device}"}
            told = {
                "event_id": f"q{next(numbers)}",
                "event": "click",
                "occurred_at": CLICK_MS + at,
                "identifiers": names,
                "properties": {"element": "#buy", "address": "深圳"},
                "context": {"page": {"url": "https://shop.example.com/cars/a"}},
            }
            meant = f"2024-02-01T00:{30 + at // 60_000:02}:{at // 1_000 % 60:02}.{at % 1_000:03}+08:00"
            fields: dict[str, Any] = {
                "event": "element_clicked",
                "occurred_at": meant,
                "identifiers": names,
                "dropped": [],
                "region_code": "440300",
                "business_system": "car_sales",
                "duration_ms": None,
            }
            yield Labelled("app", json.dumps(told, ensure_ascii=False).encode(), reason, fields if reason is None else {})
