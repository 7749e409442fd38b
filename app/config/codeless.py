"""The section `[[codeless]]`: clicks that are events of their own, without code in the pages."""

import re
from collections.abc import Collection, Mapping

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from app.config.reading import Section, channels_of, closed
from models.codeless import TEXT, CodelessRule
from models.parse import EVENT_NAME_LENGTH_MAX

VERSION_MAX = 1_000_000
VERSION = "rule_version"
"""The property in which pages tell it."""
_ATTRIBUTE = r"@[A-Za-z_][A-Za-z0-9_.:-]*"
_TYPED = "@value"
_NO_PAGE = LexborHTMLParser("")


def codeless(root: Section, channel_names: Collection[str]) -> tuple[CodelessRule, ...]:
    """`[[codeless]]`, in order."""
    return tuple(_rule(table, channel_names) for table in root.listed("codeless"))


def _rule(table: Section, channel_names: Collection[str]) -> CodelessRule:
    with closed(table) as section:
        pages = section.texts("page", None)
        if not pages:
            section.refuse("page", 'must name pages, such as "/cars/*"')
        pattern = rf"\S(?s:.{{0,{EVENT_NAME_LENGTH_MAX - 1}}})"
        return CodelessRule(
            event=section.text("event", pattern=pattern, rule=f"must be a name of at most {EVENT_NAME_LENGTH_MAX} characters"),
            pages=pages,
            element=_selector(section),
            properties=_properties(section),
            version=section.number("version", 1, 1, VERSION_MAX),
            enabled=section.flag("enabled", default=True),
            channels=frozenset(channels_of(section, channel_names) or ()),
        )


def _selector(section: Section) -> str:
    selector = section.text("element", rule="must be a CSS selector")
    try:
        _NO_PAGE.css(selector)
    except SelectolaxError:
        section.refuse("element", f"must be a CSS selector, such as #test-drive or button.buy, not {selector!r}")
    return selector


def _properties(section: Section) -> Mapping[str, str]:
    sources = section.names("properties")
    for name, source in sources.items():
        if name == VERSION:
            section.refuse(f"properties.{name}", "is the version of the rule; choose another name")
        if source != TEXT and not re.fullmatch(_ATTRIBUTE, source):
            section.refuse(f"properties.{name}", f'must be "text" or an attribute such as "@data-model", not {source!r}')
        if source.lower() == _TYPED:
            section.refuse(f"properties.{name}", "must not be @value: what visitors type is not read")
    return sources
