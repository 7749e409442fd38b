"""Rules by which an event counts as noise, as data: each has a name, a version, a reason, a condition and one action, to reject.

`CATALOGUE` lists them in the order in which they are asked; the first that applies decides. `rules_of` binds those that are
switched on in a channel to their settings. `repeated_click` needs what the same device did before: here it is only found out
which clicks it is about; it is decided where a person's events meet (models/journey/clicks.py).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from models.clicks import Click, device_of, path_of, subject_of
from models.event import Event, Reason, Rejected, object_of

IsCrawler = Callable[[str], bool]
"""Whether a user agent is that of a robot; given from outside, since robots are many and change."""
Condition = Callable[[Event], bool]

AGENT_LENGTH_MAX = 1_000
_AGENTS = (("context", "userAgent"), ("context", "user_agent"), ("properties", "$user_agent"), ("properties", "$raw_user_agent"))
"""Where channels put the user agent."""


class Switch(msgspec.Struct, frozen=True):
    """Whether a rule is on, and where; None = in all channels."""

    enabled: bool = True
    channels: tuple[str, ...] | None = None


class Where(msgspec.Struct, frozen=True):
    """A condition on one field: a dotted place, and the values or the pattern that it is compared with, as text."""

    field: str
    values: tuple[str, ...] = ()
    matches: str | None = None


class TestTraffic(msgspec.Struct, frozen=True):
    """Traffic that nobody made who is a customer: all conditions hold."""

    __test__ = False

    name: str
    where: tuple[Where, ...]
    version: int = 1
    channels: tuple[str, ...] | None = None


class Cleaning(msgspec.Struct, frozen=True):
    """The settings of the rules. Milliseconds; `switches` by name of a rule."""

    view_events: frozenset[str] = frozenset({"page_viewed", "screen_viewed"})
    click_events: frozenset[str] = frozenset({"element_clicked"})
    view_ms_min: int = 1_000
    click_gap_ms: int = 60_000
    click_exempt: tuple[str, ...] = ()
    """Elements, with `*`, that may be clicked as often as one likes."""
    crawler_exempt: tuple[str, ...] = ("HeadlessChrome", "okhttp", "axios")
    """Parts of user agents that lists of robots hold and customers have, too."""
    test_traffic: tuple[TestTraffic, ...] = ()
    switches: Mapping[str, Switch] = {}


class Rule(NamedTuple):
    """A rule that is switched on. `events` None = it is about all of them."""

    name: str
    version: int
    reason: Reason
    words: str
    applies: Condition
    events: frozenset[str] | None = None

    def verdict(self) -> Rejected:
        """What is said of an event that it applies to."""
        return Rejected(self.reason, f"{self.name} {self.version}: {self.words}")


@dataclass(frozen=True, slots=True)
class Clicks:
    """Which clicks are compared with others."""

    events: frozenset[str] = frozenset()
    gap_ms: int = 60_000
    exempt: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """The rules of one channel. Equal to themselves alone, so that they are quickly found in a memory of answers."""

    alone: tuple[Rule, ...] = ()
    """Those that need the event alone, in their order."""
    clicks: Clicks = Clicks()
    ask_business: bool = False
    """Whether one of them looks at the business system of an event."""


class Definition(NamedTuple):
    """A rule as it can be switched on; `{…}` in its words are fields of `Cleaning`."""

    name: str
    version: int
    reason: Reason
    words: str
    bind: Callable[[Cleaning, IsCrawler], Condition] | None = None
    """None: it needs more than one event."""
    events: Callable[[Cleaning], frozenset[str] | None] = lambda cleaning: None


def _ends_before_it_begins(cleaning: Cleaning, is_crawler: IsCrawler) -> Condition:
    return lambda event: event.duration_ms is not None and event.duration_ms < 0


def _is_too_short(cleaning: Cleaning, is_crawler: IsCrawler) -> Condition:
    return lambda event: event.duration_ms is not None and 0 <= event.duration_ms < cleaning.view_ms_min


def _is_robot(cleaning: Cleaning, is_crawler: IsCrawler) -> Condition:
    def applies(event: Event) -> bool:
        context, properties = event.context, event.properties
        if b"user_agent" not in context and b"userAgent" not in context and b"user_agent" not in properties:
            return False
        return any(is_crawler(agent) for agent in _agents(event) if not any(part in agent for part in cleaning.crawler_exempt))

    return applies


def _agents(event: Event) -> list[str]:
    parts = {"context": object_of(event.context), "properties": object_of(event.properties)}
    found = [parts[part].get(name) for part, name in _AGENTS]
    return [agent[:AGENT_LENGTH_MAX] for agent in found if isinstance(agent, str) and agent]


CATALOGUE = (
    Definition(
        "exit_before_entry",
        1,
        "bad_time",
        "a view is left after it is entered",
        _ends_before_it_begins,
        lambda cleaning: cleaning.view_events,
    ),
    Definition(
        "view_too_short",
        1,
        "view_too_short",
        "a view counts from {view_ms_min} ms on",
        _is_too_short,
        lambda cleaning: cleaning.view_events,
    ),
    Definition("crawler", 1, "crawler", "robots are no customers", _is_robot),
    Definition(
        "repeated_click",
        1,
        "repeated_click",
        "clicks of a device on an element count {click_gap_ms} ms apart",
        None,
        lambda cleaning: cleaning.click_events,
    ),
)


def rules_of(cleaning: Cleaning, channel: str, is_crawler: IsCrawler = lambda agent: False) -> Rules:
    """The rules that are switched on in a channel."""
    on = [one for one in CATALOGUE if _is_on(cleaning.switches.get(one.name, Switch()), channel)]
    told = msgspec.structs.asdict(cleaning)
    alone = [
        Rule(one.name, one.version, one.reason, one.words.format(**told), one.bind(cleaning, is_crawler), one.events(cleaning))
        for one in on
        if one.bind is not None
    ]
    alone += [_test_rule(one) for one in cleaning.test_traffic if one.channels is None or channel in one.channels]
    clicks = Clicks()
    if any(one.name == "repeated_click" for one in on) and cleaning.click_gap_ms:
        clicks = Clicks(cleaning.click_events, cleaning.click_gap_ms, tuple(map(_pattern, cleaning.click_exempt)))
    ask_business = any(where.field == "business_system" for one in cleaning.test_traffic for where in one.where)
    return Rules(tuple(alone), clicks, ask_business)


def noise(event: Event, rules: Rules) -> Rejected | None:
    """The first rule by which the event is noise, or None."""
    for rule in _about(rules, event.event):
        if rule.applies(event):
            return rule.verdict()
    return None


@lru_cache(maxsize=4_096)
def _about(rules: Rules, event: str) -> tuple[Rule, ...]:
    """Those that are about events of a name."""
    return tuple(rule for rule in rules.alone if rule.events is None or event in rule.events)


def click_of(event: Event, clicks: Clicks, topic: str, partition: int, offset: int, raw: bytes) -> Click | None:
    """What a click is compared by; None when it is none, or nobody knows on what."""
    if event.event not in clicks.events:
        return None
    properties, context = object_of(event.properties), object_of(event.context)
    element, page = properties.get("element"), context.get("page")
    if element is None or (isinstance(element, str) and any(one.fullmatch(element) for one in clicks.exempt)):
        return None
    page = page if isinstance(page, dict) else {"url": page}
    path = path_of((page.get("path"), properties.get("path")), (page.get("url"), properties.get("url")))
    subject = subject_of(device_of(event.identifiers), path, element, clicks.gap_ms)
    return Click(subject, topic, partition, offset, raw)


def _is_on(switch: Switch, channel: str) -> bool:
    return switch.enabled and (switch.channels is None or channel in switch.channels)


def _test_rule(given: TestTraffic) -> Rule:
    conditions = [_holds(one) for one in given.where]
    return Rule(
        given.name, given.version, "test_traffic", "nobody is behind it", lambda event: all(holds(event) for holds in conditions)
    )


def _holds(where: Where) -> Condition:
    pattern = None if where.matches is None else re.compile(where.matches)
    part, *names = where.field.split(".")

    def holds(event: Event) -> bool:
        texts = [_text(value) for value in _found(event, part, names)]
        return any(text in where.values or (pattern is not None and pattern.search(text)) for text in texts)

    return holds


def _found(event: Event, part: str, names: list[str]) -> list[Any]:
    """What stands at a place of an event: `event`, `channel`, `identifiers.NAMESPACE`, or into one of its JSON parts."""
    if part == "identifiers":
        return [one.value for one in event.identifiers if [one.namespace] == names]
    if part in ("event", "channel", "business_system"):
        return [getattr(event, part)]
    value: Any = object_of(getattr(event, part))
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return [] if value is None else [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*"), re.DOTALL)
