"""What callers see who may not see personal values: `138****8000` for a telephone number, `l***@example.com` for an address.

A value is hidden in three ways: because of its namespace or its name (`Rules`); because it is one of the identifiers of the
person who is shown, however it is punctuated; and because it looks like a telephone number, an address, an IMEI or a Chinese
identity number, wherever it stands in a text. Rather too much is hidden than too little: a number of eleven digits that begins
like a mobile one is taken for one. Pure, and masking twice changes nothing more.
"""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Literal

import msgspec

from models.ids import Identifier
from models.normalise import imei

Kind = Literal["phone", "email", "other"]
Looks = Literal["phone", "email", "other", "citizen", "imei"]

CORE_DIGITS = 8
"""So many last digits of a telephone number are the same in all its spellings, with or without country and area."""
LITERAL_LENGTH_MIN = 4
"""Shorter values of other kinds are not looked for in texts: they would be found everywhere."""
DEPTH_MAX = 64
"""What is nested deeper is hidden whole."""
HIDDEN = "****"

_WIDE = {0xFF10 + n: str(n) for n in range(10)} | {0xFF0B: "+", 0xFF20: "@", 0xFF0D: "-"}
_GAP = r"[\s().\-]{0,3}"
_SUSPECT = re.compile(rf"@|%40|\d(?:{_GAP}\d){{{CORE_DIGITS - 1}}}")
"""Whatever is hidden because of its looks has one of these; most texts have none, and are not searched further."""
_EMAIL = re.compile(r"([A-Za-z0-9._%+\-]*[A-Za-z0-9_+\-])(@|%40)((?:[A-Za-z0-9\-]+\.)+[A-Za-z]{2,})")
_MOBILE = re.compile(rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?0?1[3-9]\d(?:{_GAP}\d){{8}}(?!\d)")
_ABROAD = re.compile(r"(?<![\w+])(?:\+|00)[1-9]\d{0,3}(?:[\s().\-]{0,3}\d){6,14}(?!\d)")
_IMEI = re.compile(r"(?<!\d)\d{15}(?!\d)")
_CITIZEN = re.compile(r"(?<!\d)[1-9]\d{16}[\dXx](?!\w)")
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"
_LOOKS: tuple[tuple[re.Pattern[str], Looks], ...] = (
    (_EMAIL, "email"),
    (_CITIZEN, "citizen"),
    (_MOBILE, "phone"),
    (_ABROAD, "phone"),
    (_IMEI, "imei"),
)


class Rules(msgspec.Struct, frozen=True):
    """Namespaces whose values are hidden, by what they hold, and names of traits and properties that are hidden whole."""

    namespaces: Mapping[str, Kind] = {}
    names: frozenset[str] = frozenset()
    """In small letters."""


class Clear:
    """Hides nothing; what a mask does is said here."""

    def identifier(self, namespace: str, value: str) -> str:
        """The value of an identifier."""
        return value

    def text(self, text: str) -> str:
        """Any text."""
        return text

    def json(self, raw: bytes) -> bytes:
        """A JSON document."""
        return raw

    def named(self, name: str, raw: bytes) -> bytes:
        """The JSON of a trait of this name."""
        return raw


CLEAR = Clear()


class Mask(Clear):
    """What hides the values of one person's answers; `known` are the identifiers of that person."""

    def __init__(self, rules: Rules, known: Iterable[Identifier] = ()) -> None:
        self._rules = rules
        looked_for = [found for one in known for found in _looked_for(rules, one)]
        self._suspects = (*(found for found in looked_for if found[1] != "other"), *_LOOKS)
        self._words = tuple(found for found in looked_for if found[1] == "other")

    def identifier(self, namespace: str, value: str) -> str:
        kind = self._rules.namespaces.get(namespace)
        return self.text(value) if kind is None else masked(kind, value)

    def text(self, text: str) -> str:
        found = text if text.isascii() else text.translate(_WIDE)
        found = _replaced(found, self._words)
        return _replaced(found, self._suspects) if _SUSPECT.search(found) else found

    def json(self, raw: bytes) -> bytes:
        return msgspec.json.encode(self.document(msgspec.json.decode(raw)))

    def named(self, name: str, raw: bytes) -> bytes:
        return msgspec.json.encode(self._named(name, msgspec.json.decode(raw), DEPTH_MAX))

    def document(self, value: Any, depth: int = DEPTH_MAX) -> Any:
        """Decoded JSON, its numbers and keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            text = str(value)
            shown = self.text(text)
            return value if shown == text else shown
        if depth <= 0 and isinstance(value, list | dict):
            return HIDDEN
        if isinstance(value, list):
            return [self.document(one, depth - 1) for one in value]
        if isinstance(value, dict):
            return {self.text(name): self._named(name, one, depth - 1) for name, one in value.items()}
        return value

    def _named(self, name: str, value: Any, depth: int) -> Any:
        kind = self._rules.namespaces.get(name, "other" if name.lower() in self._rules.names else None)
        return self.document(value, depth) if kind is None else _whole(kind, value)


def masked(kind: Kind, value: str) -> str:
    """A value of a kind, hidden: what is left tells two of them apart on the telephone, and finds nobody."""
    if HIDDEN in value or value.strip("*") == "":
        return value
    if kind == "email":
        at = "@" if "@" in value else "%40"
        name, _, domain = value.rpartition(at)
        return f"{name[:1]}***{at}{domain}" if domain and name else _middle(value)
    if kind == "phone":
        digits = re.sub(r"[^\d+]", "", value)
        return _middle(re.sub(r"^(?:(?:\+|00)?86)?0?(?=1[3-9]\d{9}$)", "", digits))
    return _middle(value)


def _middle(value: str) -> str:
    """The ends of a value; the shorter it is, the less of them."""
    if len(value) >= 10:
        return f"{value[:3]}{HIDDEN}{value[-4:]}"
    return f"{value[:1]}{HIDDEN}" if len(value) >= 2 else HIDDEN


def _replaced(text: str, patterns: Iterable[tuple[re.Pattern[str], Looks]]) -> str:
    for pattern, looks in patterns:
        text = pattern.sub(partial(_hidden, looks), text)
    return text


def _hidden(looks: Looks, match: re.Match[str]) -> str:
    """What is put in place of what looks like something; numbers with a check digit must have the right one."""
    value = match[0]
    if looks == "citizen" or looks == "imei":
        return masked("other", value) if (_is_citizen(value) if looks == "citizen" else imei(value)) else value
    return masked(looks, value)


def _whole(kind: Kind, value: Any) -> Any:
    """A value that its name hides, whatever it is; nothing and truth are left."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return [_whole(kind, one) for one in value]
    if isinstance(value, dict):
        return HIDDEN
    text = str(value)
    return masked("other" if kind == "email" and "@" not in text else kind, text)


def _looked_for(rules: Rules, known: Identifier) -> Iterable[tuple[re.Pattern[str], Looks]]:
    """How an identifier is found in texts."""
    kind, value = rules.namespaces.get(known.namespace), known.value
    if kind == "phone" and len(value) > CORE_DIGITS:
        core = _GAP.join(value[-CORE_DIGITS:])
        yield re.compile(rf"(?:\+?\d(?:{_GAP}\d){{0,9}}{_GAP})?{core}(?!\d)"), kind
    elif kind is not None and len(value) >= LITERAL_LENGTH_MIN:
        yield re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE), kind


def _is_citizen(number: str) -> bool:
    """Whether the last of 18 places checks the others (ISO 7064 MOD 11-2, GB 11643)."""
    total = sum(weight * int(digit) for weight, digit in zip(_CITIZEN_WEIGHTS, number, strict=False))
    return _CITIZEN_CHECKS[total % 11] == number[-1].upper()
