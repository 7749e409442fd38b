"""A TOML table with its place in the file, from which values are taken by key, each with its rule.

Whoever reads a `Section` says what may stand there; a wrong value, a missing one and a key that nobody asked for are all
a `ConfigError` that names file, key and rule. So the readers in `sections` are the description of the file.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NoReturn


class ConfigError(Exception):
    """The file breaks a rule; the message is one line: file, key, rule."""


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the file at a dotted place; `asked` collects the keys that somebody knows."""

    file: str
    place: str
    values: Mapping[str, object]
    asked: set[str] = field(default_factory=set)

    def refuse(self, key: str, rule: str) -> NoReturn:
        """End with the rule that the value of `key` breaks."""
        raise ConfigError(f"{self.file}: {self._place_of(key)}: {rule}")

    def text(self, key: str, default: str | None = None, pattern: str = r"\S(?s:.*)", rule: str = "must be text") -> str:
        """Text that matches `pattern` as a whole; without a default it must be there."""
        value = self._take(key, default)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.refuse(key, f"{rule}, not {value!r}" if value is not None else f"{rule}, and it is missing")
        return value

    def optional_text(self, key: str, pattern: str = r"\S(?s:.*)", rule: str = "must be text") -> str | None:
        """Text that matches `pattern` as a whole, or None where there is none."""
        self.asked.add(key)
        return self.text(key, None, pattern, rule) if key in self.values else None

    def choice(self, key: str, default: str, allowed: Collection[str]) -> str:
        """One of the allowed words."""
        value = self._take(key, default)
        if not isinstance(value, str) or value not in allowed:
            self.refuse(key, f"must be one of {', '.join(allowed)}, not {value!r}{_hint(value, allowed)}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            self.refuse(key, f"must be true or false, not {value!r}")
        return value

    def number(self, key: str, default: int | None, lowest: int, highest: int) -> int:
        """A whole number within bounds, both included; without a default it must be there."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            found = "it is missing" if value is None else f"not {value!r}"
            self.refuse(key, f"must be a whole number from {lowest} to {highest}, {found}")
        return value

    def optional_number(self, key: str, lowest: int, highest: int) -> int | None:
        """A whole number, or None where there is none."""
        self.asked.add(key)
        return self.number(key, None, lowest, highest) if key in self.values else None

    def texts(self, key: str, default: tuple[str, ...] | None = ()) -> tuple[str, ...]:
        """A list of texts without doubles; one text alone is a list of one."""
        value = self._take(key, default)
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) and item.strip() for item in items):
            self.refuse(key, "must be a list of texts" + (", and it is missing" if value is None else f", not {value!r}"))
        if len(set(items)) < len(items):
            self.refuse(key, f"names something twice: {value!r}")
        return tuple(items)

    def names(self, key: str) -> dict[str, str]:
        """A table of texts by name."""
        table = self.section(key).values
        for name, value in table.items():
            if not isinstance(value, str) or not value.strip():
                self.refuse(f"{key}.{name}", f"must be text, not {value!r}")
        return {name: str(value) for name, value in table.items()}

    def section(self, key: str) -> "Section":
        """The table at `key`; an empty one where there is none."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            self.refuse(key, f"must be a table, [{self._place_of(key)}], not {value!r}")
        return Section(self.file, self._place_of(key), value)

    def sections(self, key: str) -> Iterator[tuple[str, "Section"]]:
        """The named tables below `key`, in the order of the file."""
        tables = self.section(key)
        for name in tables.values:
            yield name, tables.section(name)

    def listed(self, key: str) -> Iterator["Section"]:
        """The tables of the list `[[key]]`, in order."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.refuse(key, f"must be a list of tables, [[{self._place_of(key)}]], not {value!r}")
        for position, item in enumerate(value, 1):
            yield Section(self.file, f"{self._place_of(key)}[{position}]", item)

    def done(self) -> None:
        """Nothing else may stand here."""
        for key in self.values:
            if key not in self.asked:
                self.refuse(key, f"there is no such key{_hint(key, self.asked) or f'; known are {_listing(self.asked)}'}")

    def _take(self, key: str, default: object) -> object:
        self.asked.add(key)
        return self.values.get(key, default)

    def _place_of(self, key: str) -> str:
        return ".".join(part for part in (self.place, key) if part)


@contextmanager
def closed(section: Section) -> Iterator[Section]:
    """A section whose keys are all known when the block ends."""
    yield section
    section.done()


def known(section: Section, key: str, name: str, names: Collection[str], what: str) -> str:
    """A name that must be declared elsewhere in the file."""
    if name not in names:
        section.refuse(key, f"{name!r} is not a declared {what}{_hint(name, names)}")
    return name


def channels_of(section: Section, channel_names: Collection[str]) -> tuple[str, ...] | None:
    """The key `channels`: one declared channel at least; None = any, where the key is missing."""
    names = section.texts("channels")
    if not names and "channels" in section.values:
        section.refuse("channels", "must name at least one channel; leave it out for all")
    return tuple(known(section, "channels", name, channel_names, "channel") for name in names) or None


def _hint(value: object, names: Collection[str]) -> str:
    near = get_close_matches(str(value), sorted(names), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _listing(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"
