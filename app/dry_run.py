"""What standardising and cleaning would do to the events of a file: a verdict on each, with its rule, and the fields that change.

Every event is judged by the code that workers use. What workers know only together is found at the end, over the whole file:
clicks that repeat others of the same device, and events that come twice. Of these, only a few words an event are remembered.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import msgspec

from models.clicks import Clicked, repeated, rule_of
from models.display import rfc3339
from models.event import Event, Rejected, object_of
from models.parse import Position, parse
from models.placing import REGION_CODE
from models.policy import Policy
from models.times import instant
from models.wire import Wire, read

REPEATED, DUPLICATE = "repeated_click", "duplicate"
Change = dict[str, Any]


class Judged(NamedTuple):
    """What becomes of the event on a line: None = it is accepted; otherwise why not. `changed`: field -> from and to."""

    line: int
    event_id: str | None
    verdict: str | None
    rule: str | None
    changed: dict[str, Change]

    @property
    def stays(self) -> bool:
        """Whether it is taken over as it came."""
        return self.verdict is None and not self.changed


class DryRun:
    """Reads the events of a file by the rules of one channel. `name` stands for the topic in ids of events without one."""

    def __init__(self, policy: Policy, registered: frozenset[str], name: str) -> None:
        self._policy, self._registered, self._name = policy, registered, name
        self._lines: dict[str, int] = {}
        self._clicks: dict[int, Clicked] = {}
        self.events = 0
        self.verdicts: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.fields: Counter[str] = Counter()
        self.unregistered: Counter[str] = Counter()

    def read(self, line: int, raw: bytes, now_ms: int) -> Judged:
        """Judges one event by itself."""
        self.events += 1
        wire = read(raw, self._policy.places)
        sent_at = None if isinstance(wire, Rejected) or wire.sent_at is None else instant(wire.sent_at, self._policy.zone)
        received_at = now_ms if sent_at is None else sent_at
        event = parse(raw, self._policy, Position(self._name, 0, line), received_at)
        if isinstance(event, Rejected):
            return self._turned(Judged(line, None, event.reason, event.rule, {}))
        assert isinstance(wire, Wire), "what cannot be read is rejected"
        if self._lines.setdefault(event.event_id, line) != line:
            return self._turned(Judged(line, event.event_id, DUPLICATE, "an event is known by its id", {}))
        if event.click is not None:
            self._clicks[line] = Clicked(event.click.subject, event.occurred_at, event.event_id)
        if event.event not in self._registered:
            self.unregistered[event.event] += 1
        changed = changes(wire, event, self._policy.zone)
        self.fields.update(changed.keys())
        return Judged(line, event.event_id, None, None, changed)

    def repetitions(self) -> Iterator[Judged]:
        """The clicks that only repeat another, of all that were read."""
        lines = {click.event_id: line for line, click in self._clicks.items()}
        for click in repeated(self._clicks.values()):
            yield self._turned(Judged(lines[click.event_id], click.event_id, REPEATED, rule_of(click.subject), {}))

    def _turned(self, judged: Judged) -> Judged:
        self.verdicts[judged.verdict or ""] += 1
        self.rules[judged.rule or ""] += 1
        return judged


def changes(wire: Wire, event: Event, zone: tzinfo) -> dict[str, Change]:
    """The standard fields in which an event differs from what was told."""
    told: dict[str, object] = wire.identifiers if isinstance(wire.identifiers, dict) else {}
    found: dict[str, tuple[Any, Any]] = {
        "event": (wire.event, event.event),
        "identifiers": (told, _by_namespace(event)),
        "occurred_at": (wire.occurred_at, _time(wire.occurred_at, event, zone)),
    }
    for part, before, after in (("properties", wire.properties, event.properties), ("traits", wire.traits, event.traits)):
        if bytes(before) != after and after != b"{}":
            found[f"{part}.{REGION_CODE}"] = (None, object_of(after).get(REGION_CODE))
    properties = object_of(event.properties)
    for field in ("business_system", "duration_ms"):
        found[field] = (properties.get(field), getattr(event, field))
    if event.dropped:
        found["dropped"] = (None, [{"namespace": namespace, "reason": reason} for namespace, reason in event.dropped])
    differing = ((field, before, after) for field, (before, after) in found.items() if before != after and after is not None)
    return {field: {"from": before, "to": after} for field, before, after in differing}


def _by_namespace(event: Event) -> dict[str, object]:
    values: dict[str, list[str]] = {}
    for identifier in event.identifiers:
        values.setdefault(identifier.namespace, []).append(identifier.value)
    return {namespace: found[0] if len(found) == 1 else found for namespace, found in values.items()}


def _time(told: object, event: Event, zone: tzinfo) -> object:
    """The time as it is told where that is an instant of RFC 3339 and right; else as an instant in the zone."""
    if isinstance(told, str) and instant(told, zone) == event.occurred_at and _has_offset(told):
        return told
    return rfc3339(event.occurred_at, zone)


def _has_offset(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def document(run: DryRun, config: str, items: list[Judged]) -> dict[str, Any]:
    """What a run found, for scripts."""
    turned = run.verdicts.total()
    return {
        "config": config,
        "events": run.events,
        "accepted": run.events - turned,
        "turned_away": dict(sorted(run.verdicts.items())),
        "rules": dict(sorted(run.rules.items())),
        "changed_fields": dict(sorted(run.fields.items())),
        "unregistered": dict(run.unregistered.most_common()),
        "items": [
            {
                "line": one.line,
                "event_id": one.event_id,
                "verdict": one.verdict or "accepted",
                "rule": one.rule,
                "changed": one.changed,
            }
            for one in items
        ],
    }


def encoded(found: object) -> bytes:
    """JSON; what no JSON can hold of values that came in, such as numbers beyond all bounds, as text."""
    return msgspec.json.encode(found, enc_hook=repr)
