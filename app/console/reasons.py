"""Why somebody is one person, as a page tells it: absorbed uids and refused links."""

from collections.abc import Mapping
from typing import NamedTuple

from app.lookups import people
from app.people import Person
from models.identity.values import Evidence, Member, Refusal
from models.ids import IdentifierKey, UnifiedUserId, namespace_of

REFUSED_SHOWN_MAX = 50


class Name(NamedTuple):
    """An identifier by name; `value` None = nobody holds it any more."""

    namespace: str
    value: str | None


class Absorbed(NamedTuple):
    """A uid that became part of this person, and by what."""

    uid: UnifiedUserId
    pair: tuple[Name, Name]
    evidence: Evidence


class Refused(NamedTuple):
    """A link that was not made, or was cut."""

    pair: tuple[Name, Name]
    refusal: Refusal


def absorbed_by(person: Person) -> list[Absorbed]:
    """All of them, in order of time."""
    members = person.cluster.content.members
    found = [
        Absorbed(uid, (_name(how.pair[0], members), _name(how.pair[1], members)), how.evidence)
        for uid, how in person.cluster.content.absorbed.items()
    ]
    return sorted(found, key=lambda one: one.evidence)


async def refused_by(person: Person) -> list[Refused]:
    """The newest of them; the other end of a link is named as long as somebody holds it."""
    content = person.cluster.content
    newest = sorted(content.refused.items(), key=lambda item: item[1].evidence, reverse=True)[:REFUSED_SHOWN_MAX]
    return [
        Refused((await _held(pair[0], content.members), await _held(pair[1], content.members)), refusal)
        for pair, refusal in newest
    ]


def _name(key: IdentifierKey, members: Mapping[IdentifierKey, Member]) -> Name:
    member = members.get(key)
    return Name(namespace_of(key), None if member is None else member.value)


async def _held(key: IdentifierKey, members: Mapping[IdentifierKey, Member]) -> Name:
    if key in members:
        return _name(key, members)
    holder = await people.by_identifier(key)
    return Name(namespace_of(key), None) if holder is None else _name(key, holder.cluster.content.members)
