"""One box for everything a person is known by: what a text may be. Pure.

A text may say its namespace (`phone:138 0013 8000`), be a uid, or speak for itself: an address is an e-mail, a number that can be
called is a phone. Whatever else it is may be an identifier of every namespace that takes it; who is known by it is asked then.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from models.identifiers import Namespaces
from models.ids import Identifier, UnifiedUserId, is_uid


class Meant(NamedTuple):
    """What a text means: one uid, or identifiers of which any may be meant."""

    uid: UnifiedUserId | None = None
    identifiers: tuple[Identifier, ...] = ()


def meant(text: str, namespaces: Namespaces, speaking: Sequence[str]) -> Meant:
    """What somebody who types this may look for; nothing when nobody can be known by it.

    `speaking`: namespaces that take so little (phones, addresses) that what they take is meant for them.
    """
    wanted = text.strip()
    if is_uid(wanted):
        return Meant(UnifiedUserId(wanted))
    namespace, colon, value = wanted.partition(":")
    if colon and namespace.strip() in namespaces.rules:
        return Meant(identifiers=_read(value, [namespace.strip()], namespaces))
    return Meant(identifiers=_read(wanted, speaking, namespaces) or _read(wanted, namespaces.rules, namespaces))


def _read(value: str, names: Iterable[str], namespaces: Namespaces) -> tuple[Identifier, ...]:
    found = (namespaces.identifier(name, value) for name in names)
    return tuple(identifier for identifier in found if isinstance(identifier, Identifier))
