"""One reader for each section of the file: which keys it has, their defaults and rules.

The readers stand in the order in which the file is understood: what a later section may name is declared by an earlier
one. Rules between sections, such as topics that must differ, are checked where the second party is read.
"""

import re
from collections.abc import Collection, Mapping
from typing import cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.config.reading import Section, closed, known
from app.config.schema import (
    BusinessSystem,
    Channel,
    Display,
    Format,
    Identity,
    Namespace,
    Normalise,
    Privacy,
    System,
    Topics,
    Workers,
)
from models.mapping import Places

NORMALISE = ("none", "lower", "email", "phone", "digits", "imei")
FORMATS = ("canonical", "segment", "sensors", "map")
RESERVED_TOPICS = frozenset(
    {"behaviour.rejected", "behaviour.pulled", "requests", "journey.changes", "edge.filtered"}
    | {"people.inbox", "identity.merges", "identity.map", "audit", "generation"}
)
"""Topics of the system itself; no channel may write there."""
FORMER_INBOXES = frozenset({"identity.inbox", "journey.inbox"})
"""Of an earlier program (app/former.py)."""

_NAMESPACE = r"[A-Za-z_$][A-Za-z0-9_$.-]{0,63}"
_CHANNEL = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_TOPIC = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
PLACE = r"[^.]+(\.[^.]+)*"
_DAYS_MAX = 36_500


def display(root: Section) -> Display:
    """`[display]`"""
    with closed(root.section("display")) as section:
        return Display(time_zone=zone(section, "Asia/Shanghai"))


def topics(root: Section) -> Topics:
    """`[topics]`"""
    with closed(root.section("topics")) as section:
        return Topics(
            partitions=section.number("partitions", 8, 1, 1_000),
            channel_partitions=section.number("channel_partitions", 2, 1, 1_000),
            replication=section.number("replication", 1, 1, 9),
            retention_days=section.number("retention_days", 30, 0, _DAYS_MAX),
            inbox_retention_days=section.number("inbox_retention_days", 7, 0, _DAYS_MAX),
            audit_retention_days=section.number("audit_retention_days", 365, 0, _DAYS_MAX),
        )


def workers(root: Section) -> Workers:
    """`[workers]`"""
    with closed(root.section("workers")) as section:
        return Workers(
            standbys=section.number("standbys", 0, 0, 1),
            stuck_seconds=section.number("stuck_seconds", 60, 0, 86_400),
        )


def identity(root: Section) -> tuple[Identity, dict[str, Namespace]]:
    """`[identity]` with its namespaces."""
    with closed(root.section("identity")) as section:
        limits = Identity(
            cluster_limit=section.number("cluster_limit", 100, 2, 1_000),
            shared_after=section.number("shared_after", 3, 1, 1_000),
        )
        namespaces = {
            name: _namespace(table, name, order, limits.cluster_limit)
            for order, (name, table) in enumerate(section.sections("namespaces"))
        }
        if not namespaces:
            section.refuse("namespaces", "must declare at least one namespace")
        return limits, namespaces


def _namespace(table: Section, name: str, order: int, cluster_limit: int) -> Namespace:
    with closed(table) as section:
        if not re.fullmatch(_NAMESPACE, name):
            section.refuse("", "a namespace has 1 to 64 of the characters a-z A-Z 0-9 _ $ . - and begins with a letter, _ or $")
        patterns = section.texts("block")
        for pattern in patterns:
            _compiles(section, "block", pattern)
        return Namespace(
            name=name,
            priority=section.number("priority", None, -1_000_000, 1_000_000),
            limit=section.optional_number("limit", 1, cluster_limit),
            normalise=cast(Normalise, section.choice("normalise", "none", NORMALISE)),
            block=patterns,
            order=order,
        )


def _compiles(section: Section, key: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        section.refuse(key, f"{pattern!r} is not a regular expression: {error}")


def channels(root: Section, namespaces: Mapping[str, Namespace], shared: Topics, time_zone: str) -> dict[str, Channel]:
    """`[channels.NAME]`"""
    found: dict[str, Channel] = {}
    for name, table in root.sections("channels"):
        with closed(table) as section:
            found[name] = _channel(section, name, namespaces, shared, time_zone)
            _refuse_doubles(section, found[name], [other for other in found.values() if other.name != name])
    if not found:
        root.refuse("channels", "must declare at least one channel")
    return found


def _channel(section: Section, name: str, namespaces: Mapping[str, Namespace], shared: Topics, time_zone: str) -> Channel:
    if not re.fullmatch(_CHANNEL, name):
        section.refuse("", "a channel's name has 1 to 64 of the characters a-z A-Z 0-9 _ - and begins with a letter or digit")
    renamed = section.names("namespaces")
    for namespace in renamed.values():
        known(section, "namespaces", namespace, namespaces, "namespace")
    form = cast(Format, section.choice("format", "canonical", FORMATS))
    if "map" in section.values and form != "map":
        section.refuse("map", 'is only for format = "map"')
    return Channel(
        name=name,
        topic=section.text("topic", f"behaviour.{name}", _TOPIC, "must have 1 to 128 of the characters a-z A-Z 0-9 . _ -"),
        format=form,
        write_keys=section.texts("write_keys"),
        namespaces=renamed,
        time_zone=zone(section, time_zone),
        partitions=section.number("partitions", shared.channel_partitions, 1, 1_000),
        rate=section.optional_number("rate", 1, 1_000_000),
        map=_places(section.section("map"), namespaces) if form == "map" else None,
    )


def _places(table: Section, namespaces: Mapping[str, Namespace]) -> Places:
    with closed(table) as section:
        identifiers = section.names("identifiers")
        for namespace, place in identifiers.items():
            known(section, "identifiers", namespace, namespaces, "namespace")
            if not re.fullmatch(PLACE, place):
                section.refuse(f"identifiers.{namespace}", f"must be a dotted place, not {place!r}")
        if not identifiers:
            section.refuse("identifiers", "must give the place of at least one identifier")
        fields = ("event_id", "occurred_at", "sent_at", "properties", "traits", "context")
        places = {field: section.optional_text(field, PLACE, "must be a dotted place") for field in fields}
        event = section.text("event", pattern=PLACE, rule="must be the dotted place of the event's name")
        return Places(**places, event=event, identifiers=identifiers)


def _refuse_doubles(section: Section, channel: Channel, others: Collection[Channel]) -> None:
    """Kafka takes `.` and `_` in topic names for the same where it names metrics, and refuses the second one."""
    if channel.topic in RESERVED_TOPICS | FORMER_INBOXES:
        section.refuse("topic", f"{channel.topic!r} is a topic of the system itself")
    for other in others:
        if channel.topic.replace("_", ".") == other.topic.replace("_", "."):
            section.refuse("topic", f"{channel.topic!r} is too like the topic of channel {other.name!r}")
        for key in set(channel.write_keys) & set(other.write_keys):
            section.refuse("write_keys", f"{key!r} belongs to channel {other.name!r} already")


def business_systems(root: Section) -> tuple[BusinessSystem, ...]:
    """`[[business_systems]]`"""
    found: dict[str, BusinessSystem] = {}
    for table in root.listed("business_systems"):
        with closed(table) as section:
            name = section.text("name", rule="must be the name of a business system")
            if name in found:
                section.refuse("name", f"{name!r} is declared twice")
            found[name] = BusinessSystem(name, section.texts("url"), section.texts("page"), section.texts("event"))
    return tuple(found.values())


def systems(root: Section, namespaces: Collection[str], channel_names: Collection[str]) -> dict[str, System]:
    """`[systems.NAME]`"""
    found = {}
    for name, table in root.sections("systems"):
        with closed(table) as section:
            if name in channel_names or not re.fullmatch(_CHANNEL, name):
                section.refuse(
                    "", "a system's name is the channel of what it returns: a-z A-Z 0-9 _ -, and no other channel has it"
                )
            namespace = section.text("namespace", rule="must be a declared namespace")
            found[name] = System(
                name=name,
                url=_address(section),
                namespace=known(section, "namespace", namespace, namespaces, "namespace"),
                timeout_ms=section.number("timeout_ms", 800, 1, 60_000),
                token_env=section.optional_text("token_env"),
            )
    return found


def _address(section: Section) -> str:
    url = section.text("url", pattern=r"https?://[^\s/?#]+[^\s#]*", rule="must be an address like http://host/path")
    try:
        urlsplit(url)
    except ValueError as error:
        section.refuse("url", f"must be an address like http://host/path: {error}")
    return url


def privacy(root: Section, namespaces: Mapping[str, Namespace]) -> Privacy:
    """`[privacy]`"""
    with closed(root.section("privacy")) as section:
        hidden = section.texts("mask_namespaces")
        for name in hidden:
            known(section, "mask_namespaces", name, namespaces, "namespace")
        return Privacy(mask_namespaces=hidden, mask_names=section.texts("mask_names"))


def zone(section: Section, default: str) -> str:
    """The key `time_zone`: a name of the time zone database."""
    name = section.text("time_zone", default)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        section.refuse("time_zone", f"{name!r} is not a time zone like Asia/Shanghai")
    return name
