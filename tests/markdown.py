"""What the Markdown of the repository says, taken apart: blocks of code, words in backticks, links. Knows no rule."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"\.?[\w-]+(?:\.[\w-]+)*/(?:[\w.-]+/?)*|[\w-]+\.(?:py|toml|md|yaml|lock)")


class Block(NamedTuple):
    """A fenced block: the language behind the fence, and what is in it."""

    language: str
    text: str

    @property
    def typed(self) -> list[str]:
        """The lines after a dollar sign."""
        return re.findall(r"^\$ (.+)$", self.text, re.MULTILINE)


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a text, in order."""
    return [Block(*found) for found in _BLOCK.findall(text)]


@dataclass(frozen=True)
class Document:
    """A Markdown file; `name` from the root of the repository."""

    name: str

    @cached_property
    def text(self) -> str:
        """All of it."""
        return (ROOT / self.name).read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """All but the fenced blocks."""
        return _BLOCK.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        """The fenced blocks in order."""
        return blocks_of(self.text)

    @property
    def quoted(self) -> list[str]:
        """What stands in backticks in the prose."""
        return re.findall(r"`([^`\n]+)`", self.prose)

    @property
    def commands(self) -> list[str]:
        """What one is told to type: lines after a dollar sign, and commands quoted in the prose."""
        typed = [line for block in self.blocks if block.language == "console" for line in block.typed]
        return [*typed, *(quoted for quoted in self.quoted if re.match(r"(make|onetrail) ", quoted))]

    @property
    def paths(self) -> Iterator[str]:
        """Files and directories that are quoted or linked to."""
        yield from (quoted for quoted in self.quoted if _PATH.fullmatch(quoted))
        yield from (link for link in re.findall(r"\]\(([^)#]+)\)", self.prose) if "://" not in link)

    def section(self, title: str) -> str:
        """What stands under a heading, up to the next one."""
        return re.split(r"^#+ ", self.text.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
