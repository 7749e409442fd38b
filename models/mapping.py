"""A record in a format of its own: where it keeps the fields of a canonical event."""

from collections.abc import Mapping

import msgspec

FIELDS = ("event", "event_id", "occurred_at", "sent_at", "properties", "traits", "context")

ESTIMATED = "time_estimated"
"""Stands at the top of a record of any format: only who keeps a record for later writes it."""

_TABLE = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """The dotted places of the canonical fields; None = a record has none."""

    event: str
    event_id: str | None = None
    occurred_at: str | None = None
    sent_at: str | None = None
    properties: str | None = None
    traits: str | None = None
    context: str | None = None
    identifiers: Mapping[str, str] = {}
    """Namespace -> place of its value."""


def fields_of(record: msgspec.Raw, places: Places) -> dict[str, msgspec.Raw]:
    """The canonical fields that the record has, as they stand there."""
    found = {name: at_place(record, getattr(places, name)) for name in FIELDS}
    found[ESTIMATED] = at_place(record, ESTIMATED)
    return {name: raw for name, raw in found.items() if raw is not None}


def identifiers_of(record: msgspec.Raw, places: Places) -> dict[str, msgspec.Raw]:
    """Namespace -> what stands at its place."""
    found = {namespace: at_place(record, place) for namespace, place in places.identifiers.items()}
    return {namespace: raw for namespace, raw in found.items() if raw is not None}


def at_place(record: msgspec.Raw, place: str | None) -> msgspec.Raw | None:
    """What stands at a dotted place of a JSON object; None = nothing."""
    if place is None:
        return None
    found: msgspec.Raw | None = record
    for name in place.split("."):
        if found is None or not bytes(found).startswith(b"{"):
            return None
        found = _TABLE.decode(found).get(name)
    return found
