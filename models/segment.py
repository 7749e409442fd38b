"""Segment's messages (https://segment.com/docs/connections/spec) as canonical events.

The dialects of its many clients meet here: nulls for what is missing, traits in the message or in its context, times under
three names. Nothing is judged: a value of a strange type is passed on to whoever parses the event. Values that are only
passed on stay the bytes that they were.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import UNSET

from models import foreign
from models.canonical import Canonical, Json, grouped
from models.event import Rejected

NAMES = {
    "identify": "identify",
    "page": "page_viewed",
    "screen": "screen_viewed",
    "group": "group_joined",
    "alias": "alias",
}
"""Type of a message -> name of its event; a `track` has its own."""
TYPES = frozenset({"track", *NAMES})
CONTACTS = ("email", "phone")
"""The traits by which people are known."""
EXTERNAL_IDS = ("externalIds", "externalId")
"""Where a context has further identifiers: Segment's place and RudderStack's."""

NAMESPACES = {"userId": "user_id", "anonymousId": "anonymous_id"}
"""Name of an identifier -> namespace, where the channel does not rename it."""

Table = dict[str, msgspec.Raw]

_NULL = msgspec.Raw(b"null")


class Message(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One message; fields that are judged by nobody but the reader of the event have any type."""

    type: Any = None
    event: Any = None
    message_id: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    previous_id: Any = None
    group_id: Any = None
    name: Any = None
    category: Any = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None
    properties: msgspec.Raw = _NULL
    traits: msgspec.Raw = _NULL
    context: msgspec.Raw = _NULL


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a channel names identifiers: `names` incoming name -> namespace; `declared` are the namespaces there are."""

    names: Mapping[str, str]
    declared: Collection[str]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a batch says of all its messages."""

    context: Table = field(default_factory=dict)
    sent_at: Any = None


class _Device(msgspec.Struct, gc=False):
    id: Any = None


class _ExternalId(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None


_MESSAGE = msgspec.json.Decoder(Message)
_TABLE: msgspec.json.Decoder[Table | None] = msgspec.json.Decoder(Table | None)
_VALUE = msgspec.json.Decoder()
_DEVICE = msgspec.json.Decoder(_Device)
_EXTERNAL_IDS = msgspec.json.Decoder(list[_ExternalId])
_encode = msgspec.json.Encoder().encode

_NO_TYPE = Rejected("missing_event", "a message has a `type`: track, identify, page, screen, group or alias")
_BAD_TYPE = Rejected("bad_event", "the `type` of a message is track, identify, page, screen, group or alias")


def read(raw: bytes | msgspec.Raw) -> Message | Rejected:
    """The message that JSON holds."""
    return foreign.message(_MESSAGE, raw)


def table(raw: bytes | msgspec.Raw) -> Table:
    """The members of a JSON object, each as its bytes; none of anything else."""
    found: Table | None = foreign.part(_TABLE, raw, None)
    return found or {}


def event_of(message: Message, kind: object, envelope: Envelope, dialect: Dialect) -> Canonical | Rejected:
    """The canonical event of a message. `kind` is the type that its address says; None = the message says it.

    A batch is sent when it says so: a message's own `sentAt` may be from an earlier try.
    """
    kind = message.type if kind is None else kind
    if not isinstance(kind, str) or kind not in TYPES:
        return _NO_TYPE if kind is None else _BAD_TYPE
    context = {**envelope.context, **table(message.context)}
    traits = _traits(message, kind, context.pop("traits", _NULL))
    found = [*_named(message, kind, dialect.declared), *_described(traits, context)]
    return Canonical(
        event_id=message.message_id,
        event=message.event if kind == "track" else NAMES[kind],
        occurred_at=message.original_timestamp if message.timestamp is None else message.timestamp,
        sent_at=message.sent_at if envelope.sent_at is None else envelope.sent_at,
        identifiers=grouped(found, dialect.names),
        properties=_properties(message, kind),
        traits=_raw(traits),
        context=_raw(context),
    )


def _traits(message: Message, kind: str, surrounding: msgspec.Raw) -> Table:
    """What is told of the person. The traits of a `group` are the group's own."""
    own = {} if kind == "group" else table(message.traits)
    return {**table(surrounding), **own}


def _named(message: Message, kind: str, declared: Collection[str]) -> Iterator[tuple[str, Any]]:
    yield "userId", message.user_id
    yield "anonymousId", message.anonymous_id
    if kind == "alias":
        yield _previous(message.previous_id, declared)


def _previous(given: Any, declared: Collection[str]) -> tuple[str, Any]:
    """Whom an alias joins to its user: somebody anonymous, unless it says `namespace:value`."""
    if isinstance(given, str):
        namespace, colon, value = given.partition(":")
        if colon and namespace in declared:
            return namespace, value
    return "anonymousId", given


def _described(traits: Table, context: Table) -> Iterator[tuple[str, Any]]:
    for trait in CONTACTS:
        if trait in traits:
            yield trait, foreign.part(_VALUE, traits[trait], None)
    if "device" in context:
        yield "device_id", foreign.part(_DEVICE, context["device"], _Device()).id
    for place in EXTERNAL_IDS:
        if place in context:
            given = foreign.part(_EXTERNAL_IDS, context[place], ())
            yield from ((one.type, one.id) for one in given if isinstance(one.type, str))


def _properties(message: Message, kind: str) -> Json:
    """Properties, with what a message says beside them: the name of a page, the group that was joined."""
    beside: dict[str, Any] = {}
    if kind in ("page", "screen"):
        beside = {"name": message.name, "category": message.category}
    elif kind == "group":
        beside = {"group_id": message.group_id, "group_traits": table(message.traits) or None}
    told = {name: value for name, value in beside.items() if value is not None}
    own = message.properties
    if not told:
        return UNSET if bytes(own) == b"null" else own
    return _raw({**told, **table(own)})


def _raw(members: Mapping[str, Any]) -> Json:
    return msgspec.Raw(_encode(members)) if members else UNSET
