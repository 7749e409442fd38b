"""From a record of a channel to an event, or to the reason why it is none.

`parse` is total: any bytes give an `Event` or a `Rejected`, the same for the same arguments, whatever the hour. It knows
one record at a time; what needs a person's past is decided by the stages. The order of its steps is the order of the reasons:
of several faults the first is told. No rule quotes a value, since values name people.
"""

from datetime import tzinfo
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from models.business import business_system
from models.cleaning import click_of, noise
from models.event import Event, Reason, Rejected
from models.identifiers import Gathered
from models.ids import EventId
from models.placing import placed
from models.policy import Policy
from models.stages import stage_of
from models.times import instant
from models.wire import Wire, read

EVENT_NAME_LENGTH_MAX = 200
EVENT_ID_LENGTH_MAX = 200
IDENTIFIERS_MAX = 20
FUTURE_MS_MAX = 86_400_000
DURATION_MS_MAX = 2**53
"""No duration beyond it is one: JSON readers would round it."""
REMEMBERED_BYTES = 2_000
"""Of properties and context: what larger events come to is not kept in memory."""


class Position(msgspec.Struct, frozen=True):
    """Where a record stands in Kafka."""

    topic: str
    partition: int
    offset: int


class _Details(msgspec.Struct, gc=False):
    """What the rules want to know of properties; any type."""

    duration_ms: Any = None
    entered_at: Any = None
    left_at: Any = None
    business_system: Any = None
    url: Any = None
    name: Any = None
    title: Any = None


class _Page(msgspec.Struct, gc=False):
    """Of a page; any type."""

    url: Any = None
    path: Any = None
    name: Any = None
    title: Any = None


class _Surroundings(msgspec.Struct, gc=False):
    """What the rules want to know of context."""

    business_system: Any = None
    page: _Page | None = None


class _NoPage(msgspec.Struct, gc=False):
    """The same, where `page` is no object."""

    business_system: Any = None


_DETAILS = msgspec.json.Decoder(_Details)
_SURROUNDINGS = msgspec.json.Decoder(_Surroundings)
_NO_PAGE = msgspec.json.Decoder(_NoPage)
_NOWHERE, _NOTHING = _Surroundings(), _Page()
_NONE_GIVEN = b"{}"


def parse(raw: bytes | None, policy: Policy, position: Position, received_at_ms: int) -> Event | Rejected:
    """The event that a record holds. `received_at_ms` is the broker's append time.

    Without an `event_id` of its own the event is named by its position, so that a record read twice is one event.
    """
    wire = read(raw, policy.places)
    if isinstance(wire, Rejected):
        return wire
    name = _name(wire.event, policy)
    if isinstance(name, Rejected):
        return name
    gathered = policy.gather(wire.identifiers)
    if not gathered.usable:
        return _unusable(gathered.fault())
    occurred_at = _occurred_at(wire, policy.zone, received_at_ms)
    if isinstance(occurred_at, Rejected):
        return occurred_at
    if len(gathered.usable) > IDENTIFIERS_MAX:
        return Rejected("too_many_identifiers", f"an event has at most {IDENTIFIERS_MAX} identifiers")
    event = _assembled(wire, name, gathered, occurred_at, policy, position, received_at_ms)
    return noise(event, policy.cleaning) or _completed(event, policy, position, raw or b"")


def name_in(raw: bytes | None, policy: Policy) -> tuple[str, str] | None:
    """The name of the event that a record holds, in the register's words and as it came; None where it has none."""
    wire = read(raw, policy.places)
    name = wire if isinstance(wire, Rejected) else _name(wire.event, policy)
    return None if isinstance(name, Rejected) or isinstance(wire, Rejected) else (name, wire.event.strip())


def _name(given: object, policy: Policy) -> str | Rejected:
    if given is None:
        return Rejected("missing_event", "an event has the name of what happened in `event`")
    if not isinstance(given, str) or len(given) > EVENT_NAME_LENGTH_MAX:
        return Rejected("bad_event", f"`event` is text of at most {EVENT_NAME_LENGTH_MAX} characters")
    name = given.strip()
    return policy.synonyms.get(name, name) or Rejected("missing_event", "the name in `event` is not empty")


def _unusable(reason: Reason) -> Rejected:
    rules = {
        "unknown_namespace": "identifiers are of namespaces that the configuration declares",
        "blocked_identifier": "an identifier names somebody: no blocked or impossible value",
        "no_identifier": "an event has at least one identifier: text of at most 512 characters, or an integer",
    }
    return Rejected(reason, rules[reason])


def _occurred_at(wire: Wire, zone: tzinfo, received_at_ms: int) -> int | Rejected:
    """By the sender's clock, set right by how wrong it was when it sent; without any word of the sender: when it came."""
    sent_at = received_at_ms if wire.sent_at is None else instant(wire.sent_at, zone)
    occurred_at = sent_at if wire.occurred_at is None else instant(wire.occurred_at, zone)
    if occurred_at is None or sent_at is None:
        return Rejected("bad_time", "times are RFC 3339, or epoch seconds or milliseconds, and not before 1970")
    corrected = occurred_at + received_at_ms - sent_at
    if corrected < 0:
        return Rejected("bad_time", "an event lies not before 1970, with the sender's clock set right")
    if corrected > received_at_ms + FUTURE_MS_MAX:
        return Rejected("future_time", f"an event lies at most {FUTURE_MS_MAX // 3_600_000} h ahead of when it came")
    return corrected


def _assembled(
    wire: Wire, name: str, gathered: Gathered, occurred_at: int, policy: Policy, position: Position, received_at_ms: int
) -> Event:
    properties, context = _object(wire.properties), _object(wire.context)
    details = _details(properties)
    return Event(
        event_id=_event_id(wire.event_id, position),
        event=name,
        channel=policy.channel,
        occurred_at=occurred_at,
        received_at=received_at_ms,
        identifiers=gathered.usable,
        properties=properties,
        traits=_object(wire.traits),
        context=context,
        business_system=_business_system(policy, name, details, properties, context),
        time_estimated=wire.occurred_at is None or wire.time_estimated is True,
        duration_ms=_duration_ms(details, policy.zone),
        dropped=gathered.dropped,
    )


def _event_id(given: object, position: Position) -> EventId:
    text = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    if not text.strip():
        return EventId(f"{position.topic}:{position.partition}:{position.offset}")
    if len(text) > EVENT_ID_LENGTH_MAX:
        return EventId(blake2b(text.encode(), digest_size=16).hexdigest())
    return EventId(text)


def _object(raw: msgspec.Raw) -> bytes:
    text = bytes(raw)
    return text if text[:1] == b"{" else _NONE_GIVEN


def _details(properties: bytes) -> _Details:
    if properties == _NONE_GIVEN:
        return _Details()
    try:
        return _DETAILS.decode(properties)
    except msgspec.ValidationError:
        # A number beyond all bounds in one of them; the properties stay as they are, and say nothing.
        return _Details()


def _duration_ms(details: _Details, zone: tzinfo) -> int | None:
    """How long a view lasted: as it is told, else from its ends; None where unknown, below 0 where it ends first."""
    told = details.duration_ms
    if isinstance(told, int | float) and not isinstance(told, bool):
        return round(told) if 0 <= told <= DURATION_MS_MAX else None
    if details.entered_at is None or details.left_at is None:
        return None
    entered_at, left_at = instant(details.entered_at, zone), instant(details.left_at, zone)
    if entered_at is None or left_at is None or abs(left_at - entered_at) > DURATION_MS_MAX:
        return None
    return left_at - entered_at


def _business_system(policy: Policy, name: str, details: _Details, properties: bytes, context: bytes) -> str | None:
    if not policy.business:
        return None
    surroundings = _surroundings(context)
    page = surroundings.page or _NOTHING
    named = details.business_system, surroundings.business_system
    urls, pages = (page.url, details.url, page.path), (details.name, details.title, page.name, page.title)
    classify = _remembered if len(properties) + len(context) <= REMEMBERED_BYTES else business_system
    try:
        return classify(policy.business, name, named, urls, pages)
    except TypeError:  # one of them is an object or a list, which cannot be remembered
        return business_system(policy.business, name, named, urls, pages)


_remembered = lru_cache(maxsize=4_096)(business_system)
"""The same pages come again and again. Only texts count, so it does no harm that 1 and true are one to this memory."""


def _surroundings(context: bytes) -> _Surroundings:
    if context == _NONE_GIVEN:
        return _NOWHERE
    try:
        return _SURROUNDINGS.decode(context)
    except msgspec.ValidationError:
        return _without_page(context)


def _without_page(context: bytes) -> _Surroundings:
    try:
        return _Surroundings(_NO_PAGE.decode(context).business_system)
    except msgspec.ValidationError:
        return _NOWHERE


def _completed(event: Event, policy: Policy, position: Position, raw: bytes) -> Event:
    """An event that is no noise, with what few events have."""
    if policy.placing is not None:
        properties, traits = placed(event, policy.placing)
        event = msgspec.structs.replace(event, properties=properties, traits=traits)
    stages = policy.stages.get(event.event)
    stage = None if stages is None else stage_of(event, stages)
    is_possible = event.duration_ms is None or event.duration_ms >= 0
    if stage is None and is_possible and event.event not in policy.cleaning.clicks.events:
        return event
    click = click_of(event, policy.cleaning.clicks, position.topic, position.partition, position.offset, raw)
    return msgspec.structs.replace(event, stage=stage, click=click, duration_ms=event.duration_ms if is_possible else None)
