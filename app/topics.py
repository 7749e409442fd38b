"""Every topic of the system: the wire map, as data, and the two things that are done with it: create and check.

Names, partitions and settings are fixed at creation. Partition counts place every key, so they never change; times of
birth, erasure and requests are the broker's append times, hence `LogAppendTime` on all that a stage consumes. Tables have
changelogs, compacted, and a compaction lag: a stale writer's record and its repair are both seen by who recovers meanwhile.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from app.administration import administering
from app.config.schema import Config
from app.settings import Settings

DAY_MS = 86_400_000
COMPACTION_LAG_MS = 3_600_000
"""An owner that appends nothing looks at its changelog's end more often than this."""
RECORD_BYTES_MAX = 1_048_588
"""What a business system may write; Kafka's own default."""
PACK_BYTES_MAX = 2_097_152
"""Above a pack of 256 KB, and above any raw record with the headers of its rejection."""
ROWS_BYTES_MAX = 4_194_304
"""One append of changed rows; in one Kafka batch it is never torn."""
LEADER_SECONDS_MAX = 30.0

_TOPIC_ALREADY_EXISTS = 36


class TopicsError(Exception):
    """The broker refused a topic; the message is one line and names it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: `name` with the prefix, `config` as Kafka writes it, `key` and `value` in words."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]
    key: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a topic of the cluster differs from the one that is wanted."""

    topic: str
    setting: str
    wanted: str
    found: str


def topics_of(settings: Settings, config: Config) -> tuple[Topic, ...]:
    """All topics, those that business systems write first. Names, keys and values as in the table below."""
    shared = config.topics
    kept = _retention(shared.retention_days)
    inbox = {**_retention(shared.inbox_retention_days), **_APPEND_TIME, "max.message.bytes": str(PACK_BYTES_MAX)}
    raw = {**kept, **_APPEND_TIME, "max.message.bytes": str(RECORD_BYTES_MAX)}
    rejected = {**kept, **_APPEND_TIME, "max.message.bytes": str(PACK_BYTES_MAX)}
    for_ever = {**_retention(0), **_APPEND_TIME}
    some, many = shared.channel_partitions, shared.partitions
    rows = [
        *((f".{channel.topic}", channel.partitions, raw, *_RAW) for channel in config.channels.values()),
        (".behaviour.pulled", some, raw, *_PULLED),
        (".behaviour.rejected", some, rejected, *_REJECTED),
        (".edge.filtered", 1, {**kept, **_APPEND_TIME}, *_FILTERED),
        (".requests", 1, {**kept, **_APPEND_TIME}, *_REQUESTS),
        (INBOX, many, inbox, *_INBOX),
        (".identity.merges", many, for_ever, *_MERGES),
        (".identity.map", many, _COMPACTED, *_MAP),
        (".journey.changes", many, {**kept, **_APPEND_TIME}, *_CHANGES),
        (".audit", some, {**_retention(shared.audit_retention_days), **_APPEND_TIME}, *_AUDIT),
        (".generation", 1, _COMPACTED, *_GENERATION),
        ("-people-changelog", many, _CHANGELOG, *_ROWS),
    ]
    safe = {"min.insync.replicas": "2" if shared.replication >= 3 else "1", "unclean.leader.election.enable": "false"}
    named = [(_named(settings, row[0]), row) for row in rows]
    named += [(f"{settings.inner}{row[0]}", row) for row in rows if settings.generation and row[0] in OUTPUTS]
    return tuple(
        Topic(name, partitions, shared.replication, {**own, **safe}, key, value, meaning)
        for name, (_, partitions, own, key, value, meaning) in named
    )


def _named(settings: Settings, name: str) -> str:
    """The full name: states of one log (app/generation.py) have inboxes and changelogs of their own."""
    if name.startswith("-"):
        return f"{settings.app_id}{name}"
    return f"{settings.inner if name == INBOX else settings.prefix}{name}"


INBOX = ".people.inbox"
OUTPUTS = (".behaviour.rejected", ".identity.merges", ".identity.map", ".journey.changes")


_APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}
_COMPACTED = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": str(COMPACTION_LAG_MS),
    "max.message.bytes": str(RECORD_BYTES_MAX),
    **_APPEND_TIME,
}
_CHANGELOG = {**_COMPACTED, "max.message.bytes": str(ROWS_BYTES_MAX)}

_RAW = ("any or none", "one JSON object: an event", "behaviour as a channel's business system wrote it")
_PULLED = ("any or none", "one JSON object: an event", "behaviour that a live lookup brought from a business system")
_REJECTED = (
    "none",
    "the raw bytes; headers reason, rule, source_topic, source_partition, source_offset, at",
    "what is no event, and why",
)
_FILTERED = ("name of an edge", "one JSON object: channel, times, counts by reason", "what edges held back, and why")
_REQUESTS = (
    "request id",
    "one JSON object: link, unlink or erasure; identifiers by key, a link with their values too",
    "what operators asked for",
)
_INBOX = ("none", "a pack of messages to identities and journeys", "the one inbox of the stage with state")
_MERGES = (
    "losing uid; new uid of a split; pair of a refusal",
    "JSON: merged, split, refused or erased",
    "what happened to clusters",
)
_MAP = ("namespace:HMAC of an identifier", "JSON: unified_user_id and version; none = erased", "whose an identifier is")
_CHANGES = ("uid", "JSON: a stage that was entered", "how journeys advance")
_AUDIT = ("none", "JSON: who, what, when, purpose; identifiers by key", "lookups and operator requests (app/audit.py)")
_GENERATION = ("current", "JSON: current, previous, newest, at", "which of several states of this log is in use")
_ROWS = ("row key", "stamped row", "changelog of the table: nodes, clusters, headers and timelines")


def _retention(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS if days else -1)}


async def create(settings: Settings, config: Config) -> tuple[str, ...]:
    """Create what is missing and wait until every partition of every topic has a leader; the names that are new.

    What exists already stays as it is (`check` compares it), so this may be repeated and may race with itself.
    Raises `TopicsError` when the broker refuses a topic, aiokafka's errors when it cannot be reached.
    """
    wanted = topics_of(settings, config)
    async with administering(settings.bootstrap, **settings.security) as admin:
        existing = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in existing]
        answers = (await admin.create_topics([_new(topic) for topic in missing])).topic_errors if missing else ()
        for name, code, message in answers:
            if code not in (0, _TOPIC_ALREADY_EXISTS):
                raise TopicsError(f"topic {name} was refused by the broker: {message or f'error {code}'}")
        await _until_led(admin, wanted)
    return tuple(topic.name for topic in missing)


async def check(settings: Settings, config: Config) -> list[Mismatch]:
    """Where the cluster's topics differ from ours in existence, partitions, copies or a setting of ours."""
    wanted = topics_of(settings, config)
    async with administering(settings.bootstrap, **settings.security) as admin:
        described = {one["topic"]: one["partitions"] for one in await admin.describe_topics()}
        there = [topic for topic in wanted if described.get(topic.name)]
        settings_of = await _configs(admin, there)
    found: list[Mismatch] = []
    for topic in wanted:
        partitions = described.get(topic.name)
        if partitions:
            found += _differences(topic, partitions, settings_of[topic.name])
        else:
            found.append(Mismatch(topic.name, "topic", "present", "missing"))
    return found


def _differences(topic: Topic, partitions: list[dict[str, Any]], config: Mapping[str, str]) -> Iterator[Mismatch]:
    copies = {len(partition["replicas"]) for partition in partitions}
    pairs = [
        ("partitions", str(topic.partitions), str(len(partitions))),
        ("replication", str(topic.replication), "/".join(map(str, sorted(copies)))),
        *((name, wanted, config.get(name, "unknown")) for name, wanted in topic.config.items()),
    ]
    return (Mismatch(topic.name, name, wanted, found) for name, wanted, found in pairs if wanted != found)


def _new(topic: Topic) -> NewTopic:
    return NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=dict(topic.config))


async def _until_led(admin: AIOKafkaAdminClient, wanted: tuple[Topic, ...]) -> None:
    """A producer that meets a partition without leader only retries, for about a second; here it is cheaper to wait."""
    names = {topic.name for topic in wanted}
    loop = asyncio.get_running_loop()
    end = loop.time() + LEADER_SECONDS_MAX
    while waiting := names - {one["topic"] for one in await admin.describe_topics() if _led(one)}:
        if loop.time() > end:
            raise TopicsError(f"topic {min(waiting)} has a partition without leader for {LEADER_SECONDS_MAX:.0f} s")
        await asyncio.sleep(0.1)


def _led(described: Mapping[str, Any]) -> bool:
    partitions = described["partitions"]
    return bool(partitions) and all(one["error_code"] == 0 and one["leader"] >= 0 for one in partitions)


async def _configs(admin: AIOKafkaAdminClient, topics: list[Topic]) -> dict[str, dict[str, str]]:
    if not topics:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name, dict(topic.config)) for topic in topics]
    answers = await admin.describe_configs(asked)
    resources = [resource for answer in answers for resource in answer.to_object()["resources"]]
    return {
        resource["resource_name"]: {entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]}
        for resource in resources
    }
