"""A saved page, read as a browser reads it, and which of its elements a codeless rule means.

What scripts would add to the page is not there. The properties are those that a click would have: no text of an element in which
somebody types, or that is marked as private; the selectors that say so are those of `app/collector/web/onetrail.js`.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from models.codeless import TEXT, CodelessRule

UNREAD = 'input,textarea,select,[contenteditable]:not([contenteditable="false"]),[data-private]'
TEXT_LENGTH_MAX = 80
TAG_LENGTH_MAX = 160


class Meant(NamedTuple):
    """An element that a rule means: its opening tag, and the properties of a click on it."""

    element: str
    properties: Mapping[str, str]


def opened(file: Path) -> LexborHTMLParser:
    """The page in a file: UTF-8, or else GB 18030, in which Chinese pages are that are not UTF-8."""
    raw = file.read_bytes()
    try:
        return LexborHTMLParser(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return LexborHTMLParser(raw.decode("gb18030", errors="replace"))


def meant(page: LexborHTMLParser, rule: CodelessRule) -> Iterator[Meant]:
    """The elements of the page, in its order, that a rule means; whether the rule holds on this page is not asked."""
    unread = frozenset(element.mem_id for element in page.css(UNREAD))
    for element in page.css(rule.element):
        yield Meant(_opening(element), {name: _value(element, source, unread) for name, source in rule.properties.items()})


def _opening(element: LexborNode) -> str:
    attributes = (f' {name}="{value}"' if value else f" {name}" for name, value in element.attributes.items())
    tag = f"<{element.tag}{''.join(attributes)}>"
    return tag if len(tag) <= TAG_LENGTH_MAX else tag[:TAG_LENGTH_MAX] + "...>"


def _value(element: LexborNode, source: str, unread: Collection[int]) -> str:
    if source != TEXT:
        return _short(element.attributes.get(source[1:]) or "")
    return "" if _is_unread(element, unread) else _short(element.text())


def _short(text: str) -> str:
    return " ".join(text.split())[:TEXT_LENGTH_MAX].strip()


def _is_unread(element: LexborNode, unread: Collection[int]) -> bool:
    """Whether it is such an element, has one inside, or lies in one."""
    around: LexborNode | None = element
    while around is not None and around.mem_id not in unread:
        around = around.parent
    return around is not None or element.css_first(UNREAD) is not None
