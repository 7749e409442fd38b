"""The usual event, as far as identities go: it links nobody, and its anchor's person lies where the event is heard.

`holder` says whose such an event is. The handlers, asked in its place, would write no row, and send nothing but the event to the
journey of that uid, if its cluster holds the anchor still. That is not asked here: a journey hears in the same turn who leaves
its cluster, so one that is at rest and keeps the anchor's events (models/journey/usual.py) says as much. Of any other event
`holder` says nothing, and they are asked; a law holds it to them.
"""

from typing import Any, Protocol

from models.identity.home import is_at_home
from models.identity.messages import Deliver, Occurred
from models.identity.policy import COUNTED_MAX
from models.identity.rows import Node
from models.ids import IdentifierKey, UnifiedUserId, route

Holder = tuple[UnifiedUserId, IdentifierKey]
"""Whose an event is, and by which identifier."""
Home = tuple[IdentifierKey, UnifiedUserId, int]
"""An identifier whose person was born from it, that person, and up to when an erasure covers its events."""


class Found(Protocol):
    """Homes by route. Whoever changes a node drops what was found of its route."""

    def get(self, key: str, default: None) -> Home | None: ...

    def put(self, key: str, value: Home) -> None: ...

    def drop(self, key: str) -> None: ...


class Rows(Protocol):
    """The rows of one partition, and what was found out from them."""

    @property
    def found(self) -> Found: ...

    def get(self, key: bytes) -> Any: ...


def holder(message: Occurred | Deliver, rows: Rows) -> Holder | None:
    """Whose the event is, if nothing else is to be done about it; None where the handlers have to be asked."""
    if isinstance(message, Deliver):
        return None if message.detours else (message.uid, message.anchor.key)
    key, is_alone = message.key, len(message.identifiers) == 1
    home = rows.found.get(route(key), None) if is_alone else None
    if home is None or home[0] != key:
        home = _home(message, rows)
    return None if home is None or message.occurred_at <= home[2] else (home[1], key)


def _home(message: Occurred, rows: Rows) -> Home | None:
    """Where the anchor is at home, and counted in full with all others."""
    key = message.key
    node: Node | None = rows.get(f"n|{key}".encode())
    if node is None or node.uid is None or not is_at_home(node.uid, key):
        return None
    if any(node.linked.get(one.key, 0) < COUNTED_MAX for one in message.identifiers[1:] if one.key != key):
        return None
    home = key, node.uid, node.erased_at
    rows.found.put(route(key), home)
    return home
