"""A click, as far as it matters whether it is another one: by which device, on which page, on which element.

Known when the event comes in and kept with it (`Event.click`), with the time that two accepted ones lie apart: a changed
configuration speaks of new events only. Which clicks count is decided where a person's events meet (models/journey/clicks.py).
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from models.business import compared
from models.ids import EventId, Identifier

DEVICES = ("device_id", "anonymous_id")
"""Namespaces of what a person clicks with, the better one first; without any the anchor stands for the device."""

_canonical = msgspec.json.Encoder(order="deterministic").encode


class Click(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What clicks are compared by, and the record that the event came as: where it stands in Kafka, and its bytes."""

    subject: str
    topic: str
    partition: int
    offset: int
    raw: bytes


def subject_of(device: str, path: str, element: Any, gap_ms: int) -> str:
    """The same for the same device, page path and element; begins with the milliseconds that accepted ones lie apart."""
    told = _canonical([device, path, element])
    return f"{gap_ms}.{blake2b(told, digest_size=12).hexdigest()}"


def gap_of(subject: str) -> int:
    """The milliseconds that accepted clicks of a subject lie apart."""
    return int(subject.partition(".")[0])


def rule_of(subject: str) -> str:
    """The rule that tells of a click that it only repeats another: its name, its version, and its words."""
    return f"repeated_click 1: clicks of a device on an element count {gap_of(subject) / 1_000:g} s apart"


def device_of(identifiers: Sequence[Identifier]) -> str:
    """What a person clicks with: `namespace:value`. The anchor comes first."""
    for namespace in DEVICES:
        for identifier in identifiers:
            if identifier.namespace == namespace:
                return f"{namespace}:{identifier.value}"
    return f"{identifiers[0].namespace}:{identifiers[0].value}"


def path_of(paths: Sequence[object], urls: Sequence[object]) -> str:
    """The path of the page: as it is told, else of its address, without host and query; `/` where nothing is known."""
    for given in (*paths, *urls):
        if isinstance(given, str) and given.strip():
            address = compared(given)
            return address[address.index("/") :]
    return "/"


class Clicked(NamedTuple):
    """A click among others: what it is compared by, when it was, and which one it is."""

    subject: str
    occurred_at: int
    event_id: EventId


def repeated(clicks: Iterable[Clicked]) -> list[Clicked]:
    """Those that only repeat another: of each subject the first counts, and then each that lies the gap behind the last one."""
    last: dict[str, int] = {}
    found = []
    for click in sorted(clicks):
        counted = last.get(click.subject)
        if counted is not None and click.occurred_at - counted < gap_of(click.subject):
            found.append(click)
        else:
            last[click.subject] = click.occurred_at
    return found
