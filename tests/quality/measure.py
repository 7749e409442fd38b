"""Compares what becomes of the sample with its labels, and counts what is missing before and after."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from app.config import load, policies_of
from models.clicks import Clicked, repeated
from models.event import Event, Rejected, object_of
from models.parse import Position, parse
from tests.quality.sample import Labelled, sample

OWN = Path(__file__).with_name("own.toml")
NOW_MS = 1_790_000_000_000
REQUIRED = ("event_id", "event", "occurred_at", "identifiers", "region_code", "business_system")
"""Standard fields that every event should have."""
NAMESPACES = ("user_id", "phone", "email", "imei", "device_id")
_WITH_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})")


class Quality(NamedTuple):
    """Records, those with the right verdict and all fields right, what was wrong; and missing fields before and after.

    Fields are those that every accepted event should have; `told` are those that its record tells in some form.
    """

    records: int
    right: int
    wrong: list[str]
    fields: int
    before: Counter[str]
    after: Counter[str]
    before_told: Counter[str]
    after_told: Counter[str]

    @property
    def accuracy(self) -> float:
        """Per cent."""
        return 100 * self.right / self.records

    @property
    def fewer(self) -> float:
        """By how many per cent fewer fields are missing."""
        return 100 * (1 - self.after.total() / self.before.total())

    @property
    def fewer_told(self) -> float:
        """The same of the fields that records tell in some form."""
        return 100 * (1 - self.after_told.total() / self.before_told.total())


def measure(labelled: Sequence[Labelled] | None = None) -> Quality:
    """Reads the sample as workers would."""
    labelled = sample() if labelled is None else labelled
    config = load(OWN)
    policies = {policy.channel: policy for policy in policies_of(config).values()}
    read = [parse(one.raw, policies[one.channel], Position(one.channel, 0, n), NOW_MS) for n, one in enumerate(labelled)]
    noise = _repetitions(read)
    wrong, fields = list[str](), 0
    missing = [Counter[str]() for _ in range(4)]
    for one, found in zip(labelled, read, strict=True):
        fault = _fault(one, found, noise)
        if fault:
            wrong.append(f"{fault}: {one.raw[:200].decode('utf-8', 'replace')}")
        if one.fields and isinstance(found, Event):
            fields += len(REQUIRED)
            before, after = (_missing(standard, config.events) for standard in (_told(one.raw), _standard(found)))
            for counts, some in zip(missing, (before, after, before & _tellable(one), after & _tellable(one)), strict=True):
                counts.update(some)
    return Quality(len(labelled), len(labelled) - len(wrong), wrong, fields, *missing)


def _tellable(one: Labelled) -> set[str]:
    return {"event_id"} | {name for name in REQUIRED if one.fields.get(name) not in (None, "unknown")}


def _repetitions(read: Sequence[Event | Rejected]) -> set[str]:
    clicks = [Clicked(one.click.subject, one.occurred_at, one.event_id) for one in read if isinstance(one, Event) and one.click]
    return {click.event_id for click in repeated(clicks)}


def _fault(one: Labelled, found: Event | Rejected, noise: set[str]) -> str | None:
    reason = found.reason if isinstance(found, Rejected) else "repeated_click" if found.event_id in noise else None
    if reason != one.reason:
        return f"{reason} instead of {one.reason}"
    if not isinstance(found, Event) or reason is not None:
        return None
    standard = _standard(found)
    return next(
        (f"{name} {standard[name]} instead of {meant}" for name, meant in _meant(one).items() if standard[name] != meant), None
    )


def _meant(one: Labelled) -> dict[str, Any]:
    return one.fields | {"occurred_at": round(datetime.fromisoformat(one.fields["occurred_at"]).timestamp() * 1_000)}


def _standard(event: Event) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "event": event.event,
        "occurred_at": event.occurred_at,
        "identifiers": {one.namespace: one.value for one in event.identifiers},
        "dropped": sorted(namespace for namespace, _ in event.dropped),
        "region_code": object_of(event.properties).get("region_code"),
        "business_system": event.business_system,
        "duration_ms": event.duration_ms,
    }


def _told(raw: bytes) -> dict[str, Any]:
    """What stands in the standard fields as the record came: under the names and in the forms of the standard."""
    told = msgspec.json.decode(raw)
    properties, named, at = told.get("properties") or {}, told.get("identifiers") or {}, told.get("occurred_at")
    is_instant = isinstance(at, str) and _WITH_OFFSET.fullmatch(at) is not None
    return {
        "event_id": told.get("event_id"),
        "event": told.get("event"),
        "occurred_at": at if is_instant else None,
        "identifiers": {name: value for name, value in named.items() if name in NAMESPACES},
        "region_code": properties.get("region_code"),
        "business_system": properties.get("business_system"),
    }


def _missing(standard: dict[str, Any], registered: Collection[str]) -> set[str]:
    """A field is missing that is empty, and an event whose name nobody registered."""
    empty = {name for name in REQUIRED if standard[name] in (None, "", {}, "unknown")}
    return empty if standard["event"] in registered else empty | {"event"}
