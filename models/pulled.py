"""What a business system answers when it is asked about one of its users, and how that becomes events of our own.

A system need not repeat in every event what the question said, nor name its events; so an event without identifiers gets
the one that was asked with, and one without an id is named by its system and content: asked again, it is the same event.
When it was sent says nothing of the sender's clock here, since the answer may come years after the event. What is no event
passes unchanged, for whoever reads it next to reject with a reason.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from models.canonical import content_id, is_id
from models.event import Event
from models.ids import Identifier
from models.surrogates import mended


class Page(msgspec.Struct, frozen=True, gc=False):
    """One answer: events, each as it came, and the cursor of the next page."""

    events: list[msgspec.Raw]
    next: str | int | None = None


class _Head(msgspec.Struct, gc=False):
    """What may be missing or has to go; any type."""

    event_id: Any = None
    occurred_at: Any = None
    sent_at: Any = None
    identifiers: Any = None


_PAGE = msgspec.json.Decoder(Page)
_HEAD = msgspec.json.Decoder(_Head)
_TABLE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


def page(body: bytes) -> Page | None:
    """The page that an answer holds; None if it is none."""
    return _page(body) or _page(mended(body))


def adopted(raw: bytes, system: str, asked: Identifier) -> bytes:
    """An event of an answer as a record that is complete by itself; bytes that are no event come back as they are."""
    try:
        head = _HEAD.decode(raw)
        if is_id(head.event_id) and head.sent_at is None and _names_somebody(head.identifiers):
            return raw
        table = _TABLE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw
    sent_at = table.pop("sent_at", None)
    if head.occurred_at is None and sent_at is not None:
        table["occurred_at"] = sent_at
    event_id = head.event_id if is_id(head.event_id) else _named(table, system)
    identifiers = table.get("identifiers") if _names_somebody(head.identifiers) else {asked.namespace: asked.value}
    return _encode({**table, "event_id": event_id, "identifiers": identifiers})


def belongs(event: Event, is_member: Callable[[Identifier], bool], erased_at: Mapping[Identifier, int | None]) -> bool:
    """Whether an event that is not stored yet is one of a person with these members.

    Its anchor decides, as it will when the event is stored. `erased_at`: of anchors that are members or nobody's, what an
    erasure covers (-1: there was none); None for those of other people.
    """
    anchor = event.identifiers[0]
    covered = erased_at.get(anchor)
    return covered is not None and event.occurred_at > covered and any(map(is_member, event.identifiers))


def _page(body: bytes) -> Page | None:
    try:
        return _PAGE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _names_somebody(identifiers: object) -> bool:
    """Whether an event has identifiers of its own, right or wrong ones."""
    return isinstance(identifiers, dict) and any(value is not None and value != [] for value in identifiers.values())


def _named(table: Mapping[str, msgspec.Raw], system: str) -> str:
    content = {name: table[name] for name in sorted(table) if name != "event_id"}
    return content_id(system, _encode(content))
