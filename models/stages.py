"""Stages of a journey: an event enters the first configured stage that it matches.

Decided when the event comes in and kept with it, so the order in which events arrive does not matter.
"""

from typing import Any

import msgspec

from models.event import Event, is_same, properties_of


class Stage(msgspec.Struct, frozen=True):
    """Which events enter it: by name, and if given, by channel and by equal properties."""

    name: str
    events: frozenset[str]
    channels: frozenset[str] | None = None
    properties: tuple[tuple[str, Any], ...] = ()


def stage_of(event: Event, stages: tuple[Stage, ...]) -> str | None:
    """The name of the first stage that the event enters."""
    for stage in stages:
        if _enters(event, stage):
            return stage.name
    return None


def _enters(event: Event, stage: Stage) -> bool:
    if event.event not in stage.events or (stage.channels is not None and event.channel not in stage.channels):
        return False
    if not stage.properties:
        return True
    given = properties_of(event)
    return all(is_same(given.get(name), value) for name, value in stage.properties)
