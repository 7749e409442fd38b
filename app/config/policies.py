"""From the configuration to the frozen policies that `models.parse` reads records by.

Here what the pure core may not do itself is put in: time zones come from the system's database, numbers of other countries
from the `phonenumbers` package, which knows which of them exist and where they carry a zero for callers at home, and robots
from the list in `crawler-user-agents`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

import crawleruseragents
import phonenumbers

from app.config.regions import all_regions
from app.config.schema import BusinessSystem, Channel, Config, Namespace
from models import masking, normalise
from models.business import BusinessRule, name_pattern, url_pattern
from models.cleaning import rules_of
from models.identifiers import NamespaceRule, Namespaces
from models.normalise import NORMALISERS, Normaliser
from models.placing import Placing, fields_of
from models.policy import Policy
from models.stages import Stage

PULLED_TOPIC = "behaviour.pulled"

_HIDDEN_KINDS: Mapping[str, masking.Kind] = {"phone": "phone", "email": "email", "imei": "other"}
"""How a namespace is normalised -> what it holds."""


def namespaces_of(config: Config) -> Namespaces:
    """The declared namespaces, ranked: higher priority first, of equal ones the first in the file."""
    ranked = sorted(config.namespaces.values(), key=lambda namespace: (-namespace.priority, namespace.order))
    return Namespaces({namespace.name: _rule(namespace, rank) for rank, namespace in enumerate(ranked)})


def policy_of(config: Config, channel: Channel) -> Policy:
    """How the records of a channel are read."""
    return Policy(
        channel=channel.name,
        namespaces=namespaces_of(config),
        zone=ZoneInfo(channel.time_zone),
        renamed=channel.namespaces,
        synonyms=synonyms_of(config, channel.name),
        cleaning=rules_of(config.cleaning, channel.name, is_crawler),
        business=tuple(_business_rule(system) for system in config.business_systems),
        stages=_by_event(config.stages),
        places=channel.map,
        placing=placing_of(config),
    )


def policies_of(config: Config) -> dict[str, Policy]:
    """Topic, without the prefix -> how its records are read; for every channel."""
    return {channel.topic: policy_of(config, channel) for channel in config.channels.values()}


def pulled_policies_of(config: Config) -> dict[str, Policy]:
    """Name of a business system that is asked at lookup time -> how its events are read; it is their channel."""
    zone = config.display.time_zone
    channels = [Channel(name=name, topic=PULLED_TOPIC, time_zone=zone) for name in config.systems]
    return {channel.name: policy_of(config, channel) for channel in channels}


def masking_of(config: Config) -> masking.Rules:
    """What is hidden from callers who may not see personal values."""
    kinds: dict[str, masking.Kind] = dict.fromkeys(config.privacy.mask_namespaces, "other")
    for namespace in config.namespaces.values():
        kind = _HIDDEN_KINDS.get(namespace.normalise)
        if kind is not None:
            kinds[namespace.name] = kind
    return masking.Rules(kinds, frozenset(name.lower() for name in config.privacy.mask_names))


def synonyms_of(config: Config, channel: str) -> dict[str, str]:
    """Other name of an event -> its name, in a channel; there its own names come before those of all channels."""
    everywhere = {other: one.name for one in config.events.values() for other in one.synonyms}
    return everywhere | {other: one.name for one in config.events.values() for other in one.synonyms_in.get(channel, ())}


def placing_of(config: Config) -> Placing | None:
    """Where events tell regions; None when the configuration asks for none."""
    told = config.regions
    if not told.properties and not told.traits:
        return None
    return Placing(all_regions(), fields_of(told.properties), fields_of(told.traits))


@lru_cache(maxsize=10_000)
def is_crawler(agent: str) -> bool:
    """Whether a user agent is that of a known robot. The list is long, and the same agents come again and again."""
    return bool(crawleruseragents.is_crawler(agent))


def phone(text: str) -> str | None:
    """E.164; a number of another country must be one that can exist there, and be read as what is written for it."""
    number = normalise.phone(text)
    if number is None or number.startswith("+86"):
        return number
    meant = _abroad(number)
    return meant if meant is not None and _abroad(meant) == meant else None


def _abroad(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


_NORMALISERS: dict[str, Normaliser] = {**NORMALISERS, "phone": phone}


def _rule(namespace: Namespace, rank: int) -> NamespaceRule:
    block = tuple(re.compile(pattern) for pattern in namespace.block)
    return NamespaceRule(namespace.name, rank, _NORMALISERS[namespace.normalise], block)


def _by_event(stages: tuple[Stage, ...]) -> dict[str, tuple[Stage, ...]]:
    events = {event for stage in stages for event in stage.events}
    return {event: tuple(stage for stage in stages if event in stage.events) for event in events}


def _business_rule(system: BusinessSystem) -> BusinessRule:
    return BusinessRule(
        name=system.name,
        urls=tuple(map(url_pattern, system.urls)),
        pages=tuple(map(name_pattern, system.pages)),
        events=tuple(map(name_pattern, system.events)),
    )
