"""Names for people and for what they are known by.

A *key* is how the system writes an identifier everywhere but in the rows of its own person: `namespace:` and the
HMAC of the value, so that rows, topics and logs hold nothing that names a person. A *uid* carries its birth, so that
of two uids the smaller text is the elder person: the order in which clusters merge is inside the name and never changes.
Both end in the same 22 characters when they belong together: the *route*, by which every message, row and lookup is
placed, so a person's first cluster lies in the partition of the identifier it was born from.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import NewType

import msgspec

IdentifierKey = NewType("IdentifierKey", str)
UnifiedUserId = NewType("UnifiedUserId", str)
EventId = NewType("EventId", str)
Route = NewType("Route", str)

ROUTE_LENGTH = 22
UID_LENGTH = 2 + 11 + 11 + ROUTE_LENGTH


class Identifier(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """A value that a business system knows a person by; `value` is normalised already."""

    namespace: str
    value: str


def key_of(secret: bytes, identifier: Identifier) -> IdentifierKey:
    """`phone:` + 22 characters: the first 128 bits of HMAC-SHA256 over namespace, NUL and value."""
    text = f"{identifier.namespace}\0{identifier.value}".encode()
    return IdentifierKey(f"{identifier.namespace}:{_text(hmac.digest(secret, text, 'sha256')[:16])}")


def namespace_of(key: IdentifierKey) -> str:
    """The namespace that a key belongs to."""
    return key.partition(":")[0]


def route(name: IdentifierKey | UnifiedUserId) -> Route:
    """What places a key or a uid: its last 22 characters."""
    return Route(name[-ROUTE_LENGTH:])


def route_of_request(request_id: str) -> Route:
    """What places an operator's request: the id itself."""
    return Route(request_id)


def mint(birth_ms: int, seed: str, born_from: IdentifierKey) -> UnifiedUserId:
    """The uid of a person born at `birth_ms` (UTC milliseconds) from one identifier.

    `seed` tells births of the same identifier apart; the same arguments give the same uid, so a repeated
    birth is the same birth. Compared as text, the person born earlier is the smaller one.
    """
    if not 0 <= birth_ms < 1 << 44:
        raise ValueError(f"a birth lies between 1970 and 2527, not at {birth_ms} ms")
    digest = blake2b(f"{seed}\0{born_from}".encode(), digest_size=8).digest()
    return UnifiedUserId(f"u_{birth_ms:011x}{_text(digest)}{route(born_from)}")


def birth_of(uid: UnifiedUserId) -> int:
    """When the person was born, in UTC milliseconds."""
    return int(uid[2:13], 16)


def is_uid(text: str) -> bool:
    """Whether a text has the form of a uid; says nothing of whether such a person exists."""
    return len(text) == UID_LENGTH and text.startswith("u_") and text[2:].replace("-", "").replace("_", "").isalnum()


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
