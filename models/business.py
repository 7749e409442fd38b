"""Which business system an event belongs to: the one it names, else the first whose patterns fit.

Patterns and addresses are compared in one form, host and path: neither scheme, query, `www.` nor the usual port tell
business systems apart. In a pattern `*` stands for anything; one that begins with `/` fits on any host.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

ADDRESS_LENGTH_MAX = 2_048
"""Only so much of an address is looked at."""

_ADDRESS = re.compile(
    r"(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?(?:[^/?#@]*@)?(?:[Ww]{3}\.)?(?P<host>[^/?#:]*)(?::(?P<port>[0-9]*))?"
    r"(?P<path>/[^?#]*)?(?:\?[^#]*)?(?:#(?P<route>!?/[^?]*))?"
)
_USUAL_PORTS = (None, "", "80", "443")


@dataclass(frozen=True, slots=True, eq=False)
class BusinessRule:
    """A business system with the patterns of its addresses, of the names of its pages, and of its events.

    Equal to itself alone, so that it is quickly found in a memory of answers.
    """

    name: str
    urls: tuple[re.Pattern[str], ...] = ()
    pages: tuple[re.Pattern[str], ...] = ()
    events: tuple[re.Pattern[str], ...] = ()


def url_pattern(text: str) -> re.Pattern[str]:
    """A pattern over addresses in compared form. `…/cars/*` fits `…/cars` too."""
    form = compared(text)
    if text.endswith("*") and form.endswith("*/"):
        form = form[:-1]  # a pattern without a path, such as *.example.com*
    ends_open = form.endswith("/*")
    body = re.escape(form[:-2] if ends_open else form).replace(r"\*", ".*")
    return re.compile(("[^/]*" if text.startswith("/") else "") + body + ("(?:/.*)?" if ends_open else ""), re.DOTALL)


def name_pattern(text: str) -> re.Pattern[str]:
    """A pattern over names of pages or events."""
    return re.compile(re.escape(text).replace(r"\*", ".*"), re.DOTALL)


def compared(address: str) -> str:
    """Host and path of an address in the form in which addresses are compared."""
    return _compared(address.strip()[:ADDRESS_LENGTH_MAX])


@lru_cache(maxsize=4_096)
def _compared(address: str) -> str:
    """The same addresses come again and again."""
    found = _ADDRESS.match(address)
    assert found is not None, "every part of an address may be missing"
    host, port, path, route = found.group("host", "port", "path", "route")
    address = host.lower().rstrip(".") + (path or "/" if port in _USUAL_PORTS else f":{port}{path or '/'}")
    return f"{address}#{route}" if route else address


def business_system(
    rules: tuple[BusinessRule, ...], event: str, named: Iterable[object], urls: Iterable[object], pages: Iterable[object]
) -> str | None:
    """The business system that an event names, or that its addresses, pages or name belong to; None = unclassified.

    `named`, `urls` and `pages` are what the event says, of any type; only texts count.
    """
    for name in named:
        if isinstance(name, str) and name in [rule.name for rule in rules]:
            return name
    addresses = tuple([compared(url) for url in urls if isinstance(url, str) and url])
    return _first_fit(rules, event, addresses, tuple([page for page in pages if isinstance(page, str)]))


@lru_cache(maxsize=4_096)
def _first_fit(rules: tuple[BusinessRule, ...], event: str, addresses: Sequence[str], titles: Sequence[str]) -> str | None:
    """The same pages come again and again."""
    for rule in rules:
        if _fits(rule.urls, addresses) or _fits(rule.pages, titles) or _fits(rule.events, (event,)):
            return rule.name
    return None


def _fits(patterns: tuple[re.Pattern[str], ...], texts: Sequence[str]) -> bool:
    for pattern in patterns:
        for text in texts:
            if pattern.fullmatch(text):
                return True
    return False
