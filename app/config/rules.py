"""The sections that say what behaviour means and what of it counts: `[events]`, `[cleaning]` and `[regions]`."""

import re
from collections.abc import Collection, Mapping

from app.config.reading import Section, channels_of, closed, known
from app.config.schema import Behaviour, Regions
from models.cleaning import CATALOGUE, Cleaning, Switch, TestTraffic, Where
from models.parse import EVENT_NAME_LENGTH_MAX

VERSION_MAX = 1_000_000
_DAY_MS = 86_400_000
_FIELD = r"(event|channel|business_system|identifiers\.\S+|(properties|traits|context)(\.[^.\s]+)+)"
_IDENTIFIERS = "identifiers."
_FIELD_RULE = "must be event, channel, business_system, identifiers.NAMESPACE, or a place in properties, traits or context"
_PLACES = r"[^.+\s]+(\.[^.+\s]+)*(\+[^.+\s]+(\.[^.+\s]+)*)*"


def events(root: Section, channel_names: Collection[str]) -> dict[str, Behaviour]:
    """`[events.NAME]`: the register of what happens, with its other names, everywhere or in one channel."""
    found: dict[str, Behaviour] = {}
    taken: dict[tuple[str | None, str], str] = {}
    for name, table in root.sections("events"):
        if not 0 < len(name) <= EVENT_NAME_LENGTH_MAX or name != name.strip():
            root.refuse("events", f"{name!r} is not a name of 1 to {EVENT_NAME_LENGTH_MAX} characters without spaces around them")
        with closed(table) as section:
            everywhere = section.texts("synonyms")
            channels = _names_by_channel(section.section("synonyms_in"), channel_names)
            found[name] = Behaviour(
                name=name,
                version=section.number("version", 1, 1, VERSION_MAX),
                synonyms=everywhere,
                synonyms_in=channels,
                description=section.optional_text("description") or "",
            )
            for channel, others in ((None, everywhere), *channels.items()):
                _refuse_doubles(section, name, channel, others, taken, root.section("events").values)
    return found


def _names_by_channel(section: Section, channel_names: Collection[str]) -> dict[str, tuple[str, ...]]:
    for channel in section.values:
        known(section, channel, channel, channel_names, "channel")
    return {channel: section.texts(channel) for channel in section.values}


def _refuse_doubles(
    section: Section,
    name: str,
    channel: str | None,
    others: tuple[str, ...],
    taken: dict[tuple[str | None, str], str],
    names: Mapping[str, object],
) -> None:
    key = "synonyms" if channel is None else f"synonyms_in.{channel}"
    for other in others:
        held = taken.get((channel, other), name)
        if held != name or other in names:
            section.refuse(key, f"{other!r} is a name of another event already")
        taken[channel, other] = name


def cleaning(root: Section, channel_names: Collection[str], namespaces: Collection[str]) -> Cleaning:
    """`[cleaning]`: the settings of the rules, where each is on, and how tests are told from customers."""
    usual = Cleaning()
    with closed(root.section("cleaning")) as section:
        return Cleaning(
            view_events=frozenset(section.texts("view_events", tuple(usual.view_events))),
            click_events=frozenset(section.texts("click_events", tuple(usual.click_events))),
            view_ms_min=section.number("view_ms_min", usual.view_ms_min, 0, _DAY_MS),
            click_gap_ms=section.number("click_gap_ms", usual.click_gap_ms, 0, _DAY_MS),
            click_exempt=section.texts("click_exempt"),
            crawler_exempt=section.texts("crawler_exempt", usual.crawler_exempt),
            switches=_switches(section.section("rules"), channel_names),
            test_traffic=_test_traffic(section, channel_names, namespaces),
        )


def _switches(table: Section, channel_names: Collection[str]) -> dict[str, Switch]:
    rules = [rule.name for rule in CATALOGUE]
    found: dict[str, Switch] = {}
    for name in table.values:
        known(table, name, name, rules, "rule")
        with closed(table.section(name)) as section:
            found[name] = Switch(section.flag("enabled", default=True), channels_of(section, channel_names))
    return found


def _test_traffic(section: Section, channel_names: Collection[str], namespaces: Collection[str]) -> tuple[TestTraffic, ...]:
    found: dict[str, TestTraffic] = {}
    taken = {rule.name for rule in CATALOGUE}
    for table in section.listed("test_traffic"):
        with closed(table) as one:
            name = one.text("name", pattern=r"[A-Za-z0-9_-]{1,64}", rule="must be a name of letters, digits, _ and -")
            if name in taken:
                one.refuse("name", f"{name!r} is the name of another rule already")
            taken.add(name)
            where = tuple(_where(condition, namespaces) for condition in one.listed("where"))
            if not where:
                one.refuse("where", 'must hold at least one condition: [{ field = "context.userAgent", matches = "^k6/" }]')
            version = one.number("version", 1, 1, VERSION_MAX)
            found[name] = TestTraffic(name, where, version, channels_of(one, channel_names))
    return tuple(found.values())


def _where(table: Section, namespaces: Collection[str]) -> Where:
    with closed(table) as section:
        field = section.text("field", pattern=_FIELD, rule=_FIELD_RULE)
        if field.startswith(_IDENTIFIERS):
            known(section, "field", field.removeprefix(_IDENTIFIERS), namespaces, "namespace")
        values, matches = section.texts("values"), section.optional_text("matches")
        if not values and matches is None:
            section.refuse("", "must have values, a list of texts, or matches, a regular expression")
        if matches is not None:
            try:
                re.compile(matches)
            except re.error as error:
                section.refuse("matches", f"{matches!r} is not a regular expression: {error}")
        return Where(field, values, matches)


def regions(root: Section) -> Regions:
    """`[regions]`: where events tell a region; names below each other are joined with +."""
    with closed(root.section("regions")) as section:
        return Regions(_fields(section, "properties"), _fields(section, "traits"))


def _fields(section: Section, part: str) -> tuple[str, ...]:
    fields = section.texts(part)
    for field in fields:
        if not re.fullmatch(_PLACES, field):
            section.refuse(part, f"{field!r} is not a field, nor fields joined with + such as province+city+district")
    return fields
