"""The documents of the lookups, made of rows. Pure; times are shown in one zone, JSON that was stored is passed through.

Where the caller may not see personal values they are masked in all of it.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Self

import msgspec

from app.pages import Item, Page, SessionPage
from app.people import Person, Story
from models.display import rfc3339
from models.identity.explain import Step, Tenure, tenures
from models.identity.rows import Node
from models.identity.values import Evidence, Member, Refusal
from models.ids import Identifier, IdentifierKey, birth_of
from models.journey.summary import Place, Summary
from models.masking import CLEAR, Clear, Mask, Rules
from models.sessions import Session
from models.timeline import cursor

Document = dict[str, Any]


class Answers:
    """Shapes answers. `stages` are the configured names, in order; `rules` say what is hidden, None = nothing is."""

    def __init__(self, zone: tzinfo, stages: Sequence[str], rules: Rules | None = None) -> None:
        self._zone, self._stages, self._rules = zone, {name: order for order, name in enumerate(stages)}, rules
        self._mask = CLEAR if rules is None else Mask(rules)

    def shown(self, zone: tzinfo, rules: Rules | None) -> Self:
        """The same with times in another zone, and hidden values or not."""
        return self if zone is self._zone and rules is self._rules else type(self)(zone, list(self._stages), rules)

    def identity(self, person: Person, summary: Summary, refused: Sequence[Document]) -> Document:
        """`/v1/identities/...`: who this is, by all names."""
        return {**self._names(person, summary), "refused": list(refused)}

    def profile(self, person: Person, story: Story) -> Document:
        """`/v1/users/{uid}`: who this is, and what follows from the whole journey."""
        summary, mask = story.summary, self.mask_of(person)
        stages = sorted(summary.stages.items(), key=lambda item: (self._stages.get(item[0], len(self._stages)), item[0]))
        return {
            **self._names(person, summary),
            "traits": {
                mask.text(n): msgspec.Raw(mask.named(n, t.value)) for n, t in sorted(summary.traits.items()) if t.value != b"null"
            },
            "first_seen": None if summary.first is None else self.time(summary.first.occurred_at),
            "last_seen": None if summary.last is None else self.time(summary.last.occurred_at),
            "listed_since": None if story.listed_since is None else self.time(story.listed_since),
            "events": summary.events,
            "channels": summary.channels,
            "current_stage": stages[-1][0] if stages else None,
            "stages": [{"name": name, "entered_at": self.time(at.occurred_at), "event_id": at.event_id} for name, at in stages],
        }

    def page(self, person: Person, page: Page) -> Document:
        """`/v1/users/{uid}/journey`: one page."""
        mask = self.mask_of(person)
        items = [self._item(item, mask) for item in page.items]
        return {"unified_user_id": person.uid, "items": items, "next": _next(page.after)}

    def journey(self, person: Person, story: Story, page: Page) -> Document:
        """`/v1/journeys/...`: profile and page in one."""
        return {**self.profile(person, story), **self.page(person, page), "settled": story.settled}

    def sessions(self, person: Person, page: SessionPage) -> Document:
        """`/v1/users/{uid}/sessions`: one page."""
        mask = self.mask_of(person)
        return {"items": [self._session(session, mask) for session in page.items], "next": _next(page.after)}

    def _item(self, item: Item, mask: Clear) -> Document:
        """One event of a journey; an inferred one with its rule."""
        event = item.event
        rule: Document = {} if item.rule is None else {"rule": item.rule}
        if event.dropped:
            rule["dropped"] = [{"namespace": namespace, "reason": reason} for namespace, reason in event.dropped]
        return {
            "event_id": event.event_id,
            "event": event.event,
            "channel": event.channel,
            "business_system": event.business_system,
            "occurred_at": self.time(event.occurred_at),
            "received_at": self.time(event.received_at),
            "identifiers": _by_namespace(event.identifiers, mask),
            "properties": msgspec.Raw(mask.json(event.properties)),
            "context": msgspec.Raw(mask.json(event.context)),
            "stage": event.stage,
            "duration_ms": event.duration_ms,
            "repeat_count": event.repeat_count,
            "inferred": item.rule is not None,
            "time_estimated": event.time_estimated,
            "session": item.session,
            **rule,
        }

    def refusal(self, far: IdentifierKey, value: str | None, refusal: Refusal) -> Document:
        """A link that was not made, seen from one end."""
        namespace = far.partition(":")[0]
        shown = None if value is None else self._mask.identifier(namespace, value)
        told = {"namespace": namespace, "value": shown, "reason": refusal.reason}
        return told | {"because": self.evidence(refusal.evidence)}

    def evidence(self, evidence: Evidence) -> Document:
        """The event behind a link or a refusal."""
        shown = {"event_id": evidence.event_id, "channel": evidence.channel}
        return shown | {"occurred_at": self.time(evidence.occurred_at)}

    def history(self, node: Node) -> Document:
        """`.../history`: whose an identifier was, from when to when."""
        return {"items": [self._tenure(tenure) for tenure in tenures(node)]}

    def explanation(self, path: Sequence[Step] | None) -> Document:
        """`.../explain`: why two identifiers are one person."""
        return {"connected": path is not None, "path": [self._step(step) for step in path or ()]}

    def time(self, instant_ms: int) -> str:
        """RFC 3339 in the zone of display."""
        return rfc3339(instant_ms, self._zone)

    def mask_of(self, person: Person) -> Clear:
        """What hides this person's values, in whatever text they stand."""
        if self._rules is None:
            return CLEAR
        members = person.cluster.content.members.values()
        return Mask(self._rules, [Identifier(member.namespace, member.value) for member in members])

    def _session(self, session: Session, mask: Clear) -> Document:
        shown = msgspec.structs.asdict(session)
        times = {name: self.time(shown[name]) for name in ("started_at", "ended_at")}
        pages = {name: None if shown[name] is None else mask.text(shown[name]) for name in ("entry", "last")}
        return shown | times | pages

    def _tenure(self, tenure: Tenure) -> Document:
        cause, until = tenure.assignment.cause, tenure.until
        return {
            "unified_user_id": tenure.assignment.uid,
            "from": self.time(tenure.assignment.since),
            "to": None if until is None else self.time(until),
            "because": {"kind": cause.kind, "id": cause.id, "at": self.time(cause.at)},
        }

    def _step(self, step: Step) -> Document:
        return {
            "identifiers": [self._name(step.near), self._name(step.far)],
            "evidence": [self.evidence(evidence) for evidence in step.evidence],
            "bridge": step.bridge,
        }

    def _name(self, member: Member) -> str:
        return f"{member.namespace}:{self._mask.identifier(member.namespace, member.value)}"

    def _names(self, person: Person, summary: Summary) -> Document:
        content = person.cluster.content
        members = sorted(content.members.values(), key=lambda member: (member.namespace, member.value))
        return {
            "unified_user_id": person.uid,
            "created_at": self.time(birth_of(person.uid)),
            "identifiers": [self._identifier(member, summary) for member in members],
            "absorbed": sorted(content.absorbed),
        }

    def _identifier(self, member: Member, summary: Summary) -> Document:
        shown = {"namespace": member.namespace, "value": self._mask.identifier(member.namespace, member.value)}
        seen = summary.identifiers.get(member.name)
        first, last = (seen.first, seen.last) if seen else (member.first_seen, member.first_seen)
        times = {"first_seen": self.time(first), "last_seen": self.time(last)}
        return {**shown, **times, "channels": list(seen.channels) if seen else []}


def _next(after: Place | None) -> str | None:
    return None if after is None else cursor(after)


def _by_namespace(identifiers: Sequence[Identifier], mask: Clear) -> Mapping[str, str | list[str]]:
    """As events are written: one value as text, several as a list."""
    values: dict[str, list[str]] = {}
    for identifier in identifiers:
        values.setdefault(identifier.namespace, []).append(mask.identifier(identifier.namespace, identifier.value))
    return {namespace: found[0] if len(found) == 1 else found for namespace, found in values.items()}
