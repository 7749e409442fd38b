"""Regions of events: where an event tells one in words, its code is put beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.event import Event, object_of
from models.regions import UNKNOWN, Regions

REGION_CODE = "region_code"

Field = tuple[tuple[str, ...], ...]
"""Dotted places whose texts are one after the other a region's name."""


@dataclass(frozen=True, slots=True)
class Placing:
    """The regions there are, and the fields that tell them, the better ones first."""

    regions: Regions
    properties: tuple[Field, ...] = ()
    traits: tuple[Field, ...] = ()


def fields_of(texts: Sequence[str]) -> tuple[Field, ...]:
    """Fields as they are written: `address`, or `place.province+place.city`."""
    return tuple(tuple(tuple(place.split(".")) for place in text.split("+")) for text in texts)


def located(raw: bytes, fields: Sequence[Field], regions: Regions) -> bytes:
    """A JSON object with the code of the region that it tells; as it is where it tells none, or has a code already."""
    if raw == b"{}" or not fields:
        return raw
    given = object_of(raw)
    told = [text for text in (_text(given, field) for field in fields) if text]
    if not told or REGION_CODE in given:
        return raw
    code = next((found for found in map(regions.code_of, told) if found != UNKNOWN), UNKNOWN)
    return f'{{"{REGION_CODE}":"{code}",'.encode() + raw[1:]


def placed(event: Event, placing: Placing) -> tuple[bytes, bytes]:
    """The properties and the traits of an event, with the codes of the regions that they tell."""
    properties = located(event.properties, placing.properties, placing.regions)
    return properties, located(event.traits, placing.traits, placing.regions)


def _text(given: dict[str, object], field: Field) -> str:
    found = []
    for place in field:
        value: object = given
        for name in place:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str | int) and not isinstance(value, bool):
            found.append(str(value))
    return "".join(found)
