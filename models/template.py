"""How the records of a file become canonical events: where each field lies, which are the same for all, what is left over.

A file has a form of its own for once, where a channel has one for good (`models/mapping.py`). Nothing is judged here.
"""

from collections.abc import Mapping

import msgspec

from models.foreign import UNREADABLE
from models.mapping import at_place

REST = "*"
"""As the place of properties: all members that nothing else names."""

_TABLE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """`places`: field -> dotted place; `tables`: identifiers, properties, traits or context -> name -> dotted place."""

    places: Mapping[str, str]
    tables: Mapping[str, Mapping[str, str]]
    fixed: Mapping[str, str] = {}
    """Fields that are the same for all, such as the name of the event."""


def filled(template: Template, raw: bytes) -> bytes:
    """The canonical event of a record; bytes that are no JSON object come back as they are."""
    try:
        members = _TABLE.decode(raw)
        record = msgspec.Raw(raw)
        fields = {name: _field(template, name, place, record, members) for name, place in template.places.items()}
        tables = {name: _table(places, record) for name, places in template.tables.items()}
    except UNREADABLE:
        return raw
    found = {**fields, **tables, **template.fixed}
    return _encode({name: value for name, value in found.items() if value})


def _field(
    template: Template, name: str, place: str, record: msgspec.Raw, members: Mapping[str, msgspec.Raw]
) -> msgspec.Raw | dict[str, msgspec.Raw] | None:
    if place != REST:
        return at_place(record, place)
    places = [*template.places.values(), *(one for table in template.tables.values() for one in table.values())]
    named = {one.partition(".")[0] for one in places}
    return {member: value for member, value in members.items() if member not in named}


def _table(places: Mapping[str, str], record: msgspec.Raw) -> dict[str, msgspec.Raw]:
    found = {name: at_place(record, place) for name, place in places.items()}
    return {name: value for name, value in found.items() if value is not None}
