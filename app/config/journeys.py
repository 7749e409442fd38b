"""The section `[journey]`: what is read into the journeys of people, their stages, sessions and gaps, and for how long."""

from collections.abc import Collection

from app.config.reading import Section, channels_of, closed
from app.config.schema import Journey
from models.inference import Rule
from models.stages import Stage

SESSION_GAP_MINUTES, SESSION_GAP_MINUTES_MAX = 30, 24 * 60
WITHIN_MINUTES, WITHIN_MINUTES_MAX = 24 * 60, 30 * 24 * 60
KEEP_DAYS_MAX = 36_500
_MINUTE_MS = 60_000


def journey(root: Section, channel_names: Collection[str]) -> tuple[tuple[Stage, ...], Journey]:
    """`[journey]`, `[[journey.stages]]` in their order, and `[[journey.inferences]]`."""
    stages: dict[str, Stage] = {}
    rules: dict[str, Rule] = {}
    with closed(root.section("journey")) as section:
        for table in section.listed("stages"):
            with closed(table) as one:
                stage = _stage(one, channel_names, stages)
                stages[stage.name] = stage
        for table in section.listed("inferences"):
            with closed(table) as one:
                rule = _inference(one, rules)
                rules[rule.name] = rule
        gap = section.number("session_gap_minutes", SESSION_GAP_MINUTES, 1, SESSION_GAP_MINUTES_MAX)
        keep_days = section.optional_number("keep_days", 1, KEEP_DAYS_MAX)
    return tuple(stages.values()), Journey(gap * _MINUTE_MS, tuple(rules.values()), keep_days)


def _stage(section: Section, channel_names: Collection[str], found: Collection[str]) -> Stage:
    name = _name(section, "a stage", found)
    channels = channels_of(section, channel_names)
    return Stage(name, _events(section), None if channels is None else frozenset(channels), _conditions(section, "properties"))


def _inference(section: Section, found: Collection[str]) -> Rule:
    """`event` needs `needs` after `after`."""
    name = _name(section, "a rule", found)
    event, needs, after = (section.text(key, rule="must be the name of an event") for key in ("event", "needs", "after"))
    if len({event, needs, after}) < 3:
        section.refuse("needs", "must be another event than `event` and `after`, which must differ too")
    return Rule(
        name,
        event,
        needs,
        after,
        unless=frozenset(section.texts("unless")),
        unless_properties=_conditions(section, "unless_properties"),
        same=section.optional_text("same"),
        within_ms=section.number("within_minutes", WITHIN_MINUTES, 1, WITHIN_MINUTES_MAX) * _MINUTE_MS,
    )


def _name(section: Section, what: str, found: Collection[str]) -> str:
    name = section.text("name", rule=f"must be the name of {what}")
    if name in found:
        section.refuse("name", f"{name!r} is declared twice")
    return name


def _events(section: Section) -> frozenset[str]:
    events = section.texts("events", None)
    if not events:
        section.refuse("events", "must name at least one event")
    return frozenset(events)


def _conditions(section: Section, key: str) -> tuple[tuple[str, object], ...]:
    table = section.section(key)
    for name, value in table.values.items():
        if not isinstance(value, str | int | float):
            table.refuse(name, f"must be a text, number or truth value, not {value!r}")
    return tuple(table.values.items())
