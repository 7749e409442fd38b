"""A map file: `onetrail replay --map FILE`, how the records of a file become canonical events.

event = "type"                  # a dotted place in a record; in CSV a column
occurred_at = "time"
properties = "*"                # all that nothing else names; or a section [properties], like [identifiers]
[identifiers]
phone = "customer.mobile"       # namespace = place
[fixed]
event = "order_paid"            # the same for all records
"""

import re
from collections.abc import Collection
from pathlib import Path

from app.config.loading import tables_of
from app.config.reading import Section, closed, known
from app.config.sections import PLACE
from models.template import REST, Template

PLACES = ("event_id", "event", "occurred_at", "sent_at")
PARTS = ("properties", "traits", "context")


def load_template(path: Path, namespaces: Collection[str]) -> Template:
    """The template in a file. Raises `ConfigError`: one line with file, key and rule."""
    with closed(Section(str(path), "", tables_of(path))) as root:
        places = {name: root.optional_text(name, PLACE, "must be a dotted place") for name in PLACES}
        tables = {"identifiers": _names(root, "identifiers")}
        for namespace in tables["identifiers"]:
            known(root.section("identifiers"), namespace, namespace, namespaces, "namespace")
        for name in PARTS:
            if isinstance(root.values.get(name), dict):
                tables[name] = _names(root, name)
            else:
                places[name] = root.optional_text(name, rf"{PLACE}|\{REST}", f'must be a dotted place, "{REST}", or a table')
        fixed = root.names("fixed")
        if places["event"] is None and "event" not in fixed:
            root.refuse("event", "must be the place of the event's name, or stand in [fixed]")
        if not tables["identifiers"]:
            root.refuse("identifiers", "must give the place of at least one identifier")
        _refuse_others(root, fixed)
    return Template(places={name: place for name, place in places.items() if place}, tables=tables, fixed=fixed)


def _names(root: Section, name: str) -> dict[str, str]:
    found = root.names(name)
    for key, place in found.items():
        if not re.fullmatch(PLACE, place):
            root.refuse(f"{name}.{key}", f"must be a dotted place, not {place!r}")
    return found


def _refuse_others(root: Section, fixed: Collection[str]) -> None:
    for name in fixed:
        known(root.section("fixed"), name, name, PLACES, "field")
