"""Which values name a person: the declared namespaces, and what remains of an event's identifiers under them.

Events and lookups go through the same `Namespaces.identifier`, so every spelling that is stored as one is found as one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from models.event import Reason
from models.ids import Identifier
from models.normalise import Normaliser, names_nobody

VALUE_LENGTH_MAX = 512
NAME_LENGTH_MAX = 64
NOTES_MAX = 20
"""An event notes so many of the identifiers that were left out; more of them say nothing new."""

_NOT_USABLE: tuple[Reason, ...] = ("unknown_namespace", "blocked_identifier", "no_identifier")


@dataclass(frozen=True, slots=True)
class NamespaceRule:
    """One namespace: `rank` orders all of them, 0 = highest priority; `block` are patterns that are searched for."""

    name: str
    rank: int
    normalise: Normaliser
    block: tuple[re.Pattern[str], ...] = ()

    def blocks(self, text: str) -> bool:
        """Whether the built-in list or a pattern of the namespace keeps a value out."""
        return names_nobody(text) or (bool(self.block) and any(pattern.search(text) for pattern in self.block))


class Gathered(msgspec.Struct, frozen=True):
    """The usable identifiers of an event, normalised, without doubles, the anchor first; and what was left out."""

    usable: tuple[Identifier, ...]
    dropped: tuple[tuple[str, str], ...] = ()

    def fault(self) -> Reason:
        """Why there is no usable identifier."""
        reasons = {reason for _, reason in self.dropped}
        return next((reason for reason in _NOT_USABLE if reason in reasons), "no_identifier")


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The declared namespaces by name."""

    rules: Mapping[str, NamespaceRule]

    def identifier(self, namespace: str, value: object) -> Identifier | Reason:
        """The normalised identifier of a value as somebody wrote it, or why there is none."""
        rule = self.rules.get(namespace)
        if rule is None:
            return "unknown_namespace"
        text = value if isinstance(value, str) else _decimal(value)
        if text is None or len(text) > VALUE_LENGTH_MAX:
            return "no_identifier"
        stripped = text.strip()
        normal = rule.normalise(stripped)
        if normal is None or rule.blocks(normal) or (normal != stripped and rule.blocks(stripped)):
            return "blocked_identifier"
        return Identifier(namespace, normal)

    def gather(self, given: object, renamed: Mapping[str, str]) -> Gathered:
        """The identifiers of an event: a table of names with a value, or a list of values, each; null is no value."""
        if not isinstance(given, dict):
            return Gathered(())
        usable: dict[tuple[int, str], Identifier] = {}
        dropped: dict[tuple[str, str], None] = {}
        for name, value in given.items():
            namespace = renamed.get(name, name)
            for item in value if isinstance(value, list) else (value,):
                found = None if item is None else self.identifier(namespace, item)
                if isinstance(found, Identifier):
                    usable[self.rules[namespace].rank, found.value] = found
                elif found and (len(dropped) < NOTES_MAX or found not in {reason for _, reason in dropped}):
                    dropped[namespace[:NAME_LENGTH_MAX], found] = None
        return Gathered(tuple([usable[place] for place in sorted(usable)]), tuple(dropped))


def _decimal(value: object) -> str | None:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
