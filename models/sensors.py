"""Sensors Analytics' messages as canonical events: `distinct_id`, the identities beside it, and profiles as traits.

A message that parts identities (`track_id_unbind`) is no event: it asks that its first identity is not one person with the
others. Nothing is judged here.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from models import foreign
from models.canonical import Canonical, Json, grouped
from models.event import Rejected

IDENTITIES = {
    "$identity_login_id": "user_id",
    "$identity_mobile": "phone",
    "$identity_email": "email",
    "$identity_mp_openid": "wechat_openid",
    "$identity_mp_unionid": "wechat_unionid",
    "$identity_cookie_id": "anonymous_id",
    "$identity_anonymous_id": "anonymous_id",
}
"""Identity -> namespace, where the channel does not rename it."""
PROFILES = frozenset({"profile_set", "profile_set_once"})


class SensorsMessage(msgspec.Struct, frozen=True, gc=False, rename={"flush_time": "_flush_time", "track_id": "_track_id"}):
    """One message; fields of any type. Times are epoch milliseconds."""

    type: Any = None
    event: Any = None
    time: Any = None
    flush_time: Any = None
    track_id: Any = None
    distinct_id: Any = None
    original_id: Any = None
    identities: Any = None
    properties: Json = UNSET
    lib: Json = UNSET


class Parting(NamedTuple):
    """Two identifiers, each a namespace and a value as it came, that are not one person."""

    one: tuple[str, Any]
    other: tuple[str, Any]


_MESSAGE = msgspec.json.Decoder(SensorsMessage)
_MEMBERS = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode

_NO_PAIR = Rejected("no_identifier", "an unbinding names the identity and, in identities or distinct_id, whose it is no longer")


def read(raw: bytes | msgspec.Raw) -> SensorsMessage | Rejected:
    """The message that JSON holds."""
    return foreign.message(_MESSAGE, raw)


def event_of(message: SensorsMessage, names: Mapping[str, str]) -> Canonical | Parting | Rejected:
    """The canonical event, or what is asked; `names` is incoming name of an identifier -> namespace."""
    if message.type == "track_id_unbind":
        return _parting(message, names)
    is_profile = isinstance(message.type, str) and message.type in PROFILES
    return Canonical(
        event=message.type if message.event is None else message.event,
        occurred_at=message.time,
        sent_at=message.flush_time,
        identifiers=grouped(_identifiers(message), names),
        properties=UNSET if is_profile else message.properties,
        traits=message.properties if is_profile else _removed(message),
        context=_context(message),
    )


def _parting(message: SensorsMessage, names: Mapping[str, str]) -> Parting | Rejected:
    """Of two identities, or of one and the `distinct_id`, unless that only says the identity again."""
    identities = list(_identities(message))
    said = [f"{name}+{value}" for name, value in identities] + [value for _, value in identities]
    if message.distinct_id is not None and message.distinct_id not in said:
        identities.append(("distinct_id", message.distinct_id))
    if len(identities) < 2:
        return _NO_PAIR
    one, other = [(names.get(name, name), value) for name, value in identities[:2]]
    return Parting(one, other)


def _identities(message: SensorsMessage) -> Iterator[tuple[str, Any]]:
    if isinstance(message.identities, dict):
        yield from message.identities.items()


def _identifiers(message: SensorsMessage) -> Iterator[tuple[str, Any]]:
    yield "distinct_id", message.distinct_id
    yield "distinct_id", message.original_id if message.type == "track_signup" else None
    yield from _identities(message)


def _removed(message: SensorsMessage) -> Json:
    """`profile_unset` names traits that are gone; a trait that is null is."""
    if message.type != "profile_unset" or message.properties is UNSET:
        return UNSET
    names = foreign.part(_MEMBERS, message.properties, None)
    return UNSET if names is None else msgspec.Raw(_encode(dict.fromkeys(names)))


def _context(message: SensorsMessage) -> Json:
    """The library, and the number by which it tells messages of the same moment apart."""
    told = {"library": message.lib, "track_id": message.track_id}
    given = {name: value for name, value in told.items() if value is not None and value is not UNSET}
    return msgspec.Raw(_encode(given)) if given else UNSET
