"""What operators ask: links, unlinks and erasures, as they lie in the log, and the messages that they become.

The version of a request is the broker's append time and its id, so a replay decides as before. Identifiers are written by key;
only a link carries values too, since it may name somebody who was never seen.
"""

from collections.abc import Iterator

import msgspec

from models.identity.messages import Answer, Erase, IdentityMessage, relink, unlink
from models.identity.values import Sighting, Version
from models.ids import IdentifierKey, Route, route, route_of_request


class LinkAsked(msgspec.Struct, frozen=True, tag="link", tag_field="type"):
    """These two are one person."""

    request_id: str
    a: Sighting
    b: Sighting
    reason: str = ""


class UnlinkAsked(msgspec.Struct, frozen=True, tag="unlink", tag_field="type"):
    """These two are not one person, until a link says otherwise."""

    request_id: str
    a: IdentifierKey
    b: IdentifierKey
    reason: str = ""


class ErasureAsked(msgspec.Struct, frozen=True, tag="erasure", tag_field="type"):
    """Forget the person who has this identifier."""

    request_id: str
    key: IdentifierKey
    reason: str = ""


Asked = LinkAsked | UnlinkAsked | ErasureAsked
_decode = msgspec.json.Decoder(Asked).decode
encode = msgspec.json.Encoder().encode


def read(raw: bytes) -> Asked:
    """The request of a record; msgspec.DecodeError when it is none."""
    asked: Asked = _decode(raw)
    return asked


def messages_of(asked: Asked, at_ms: int) -> Iterator[tuple[Route, IdentityMessage]]:
    """What a request becomes, with the routes: its own row first, then the node that decides."""
    yield route_of_request(asked.request_id), Answer(asked.request_id, "accepted")
    version = Version(at_ms, asked.request_id)
    match asked:
        case LinkAsked():
            link = relink(asked.a, asked.b, version)
            yield route(link.key), link
        case UnlinkAsked():
            parted = unlink(asked.a, asked.b, version)
            yield route(parted.key), parted
        case ErasureAsked():
            yield route(asked.key), Erase(asked.key, asked.request_id, at_ms)
