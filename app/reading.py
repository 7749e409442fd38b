"""By which rules a record of a behaviour topic is read: those of its channel, or of the business system that it came from.

Records of `behaviour.pulled` name their system in the header `system`; it is their channel.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from app.config import Config, Privacy, Workers, policies_of, pulled_policies_of
from app.config.policies import PULLED_TOPIC
from models.event import Event, Rejected
from models.imports import imported
from models.parse import Position, parse
from models.policy import Policy

SYSTEM_HEADER = "system"
IMPORT_HEADER = "import"
IMPORT = ((IMPORT_HEADER, b"1"),)
CARRIED = frozenset({SYSTEM_HEADER, IMPORT_HEADER})

_NO_SYSTEM = Rejected(
    "internal", f"a record of {PULLED_TOPIC} has a header `{SYSTEM_HEADER}` with the name of a configured system"
)

Headers = Iterable[tuple[str, bytes | None]]


class Reading:
    """The policies of a configuration; topics are full names, so they begin with `prefix`."""

    def __init__(self, config: Config, prefix: str) -> None:
        self._by_topic = {f"{prefix}.{topic}": policy for topic, policy in policies_of(config).items()}
        self._pulled_topic, self._by_system = f"{prefix}.{PULLED_TOPIC}", pulled_policies_of(config)

    def policy(self, topic: str, headers: Headers) -> Policy | Rejected:
        """How a record is read, or why it cannot be; KeyError for a topic that holds no behaviour."""
        if topic != self._pulled_topic:
            return self._by_topic[topic]
        return self._by_system.get(system_of(headers) or "", _NO_SYSTEM)

    def event(self, record: Any) -> Event | Rejected:
        """What a record of a behaviour topic, as Kafka clients give it, says; a pure function of the record."""
        policy = self.policy(record.topic, record.headers)
        if isinstance(policy, Rejected):
            return policy
        event = parse(record.value, policy, Position(record.topic, record.partition, record.offset), record.timestamp)
        return imported(event) if record.headers and isinstance(event, Event) and is_import(record.headers) else event

    def system(self, name: str) -> Policy:
        """How what a business system answers is read; KeyError for one that is not configured."""
        return self._by_system[name]


def system_of(headers: Headers) -> str | None:
    """The business system that a pulled record names."""
    return next((value.decode("utf-8", "replace") for name, value in headers if name == SYSTEM_HEADER and value), None)


def named(system: str | None) -> tuple[tuple[str, bytes], ...]:
    """The header that names a business system; no header where there is none to name."""
    return () if system is None else ((SYSTEM_HEADER, system.encode()),)


def rules_name(config: Config, pii_key: bytes) -> str:
    """Names the rules that events are read by: 8 hexadecimal digits of the configuration and the key of identifiers."""
    rules = msgspec.structs.replace(config, workers=Workers(), privacy=Privacy())
    return hashlib.sha256(msgspec.json.encode(rules, order="deterministic") + pii_key).hexdigest()[:8]


def carried(headers: Headers) -> tuple[tuple[str, bytes], ...]:
    """The headers that say how a record is read; they stay with it when it is rejected."""
    return tuple((name, value) for name, value in headers if name in CARRIED and value)


def is_import(headers: Headers) -> bool:
    """Whether a record is of a history that was imported."""
    return any(name == IMPORT_HEADER for name, _ in headers)
