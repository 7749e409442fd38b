"""Codeless tracking: on a page, a click on an element is an event of its own, by rules that are data and not code of the site.

The rules are kept in one place, the configuration, and are applied where the click happens, in the page. So that both sides
mean the same by a pattern of addresses, a rule goes to the pages as the regular expression that is used here too: over host
and path in the form of `models.business`, written so that Python and browsers read it alike. What a selector means is
for a browser to say.
"""

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict
from urllib.parse import quote

import msgspec

from models.business import compared, url_pattern

TEXT = "text"
"""The source of a property that is what is written on the element; any other is `@` and the name of an attribute."""


class CodelessRule(msgspec.Struct, frozen=True):
    """A click on `element`, a CSS selector, or inside of it, on a page that fits one of the patterns, is `event`.

    `properties` is name -> source: `text` or `@attribute`. No channels = all.
    """

    event: str
    pages: tuple[str, ...]
    element: str
    properties: Mapping[str, str] = {}
    version: int = 1
    enabled: bool = True
    channels: frozenset[str] = frozenset()


class Told(TypedDict):
    """A rule as pages get it; `page` is a regular expression over addresses."""

    event: str
    page: str
    element: str
    properties: Mapping[str, str]
    version: int


def told(rules: Iterable[CodelessRule], channel: str) -> Sequence[Told]:
    """The rules that hold on the pages of a channel."""
    return [
        Told(event=rule.event, page=page_expression(rule), element=rule.element, properties=rule.properties, version=rule.version)
        for rule in rules
        if rule.enabled and (not rule.channels or channel in rule.channels)
    ]


def page_expression(rule: CodelessRule) -> str:
    """The regular expression of all its pages, for Python and for browsers."""
    patterns = (url_pattern(_encoded(page)).pattern for page in rule.pages)
    return f"^(?:{'|'.join(patterns)})$"


def is_on(rule: CodelessRule, url: str) -> bool:
    """Whether a rule, enabled or not, holds on the page at this address."""
    return re.search(page_expression(rule), compared(_encoded(url))) is not None


def _encoded(address: str) -> str:
    """As browsers write it: what is not ASCII is percent-encoded."""
    return quote(address, safe=string.printable)
