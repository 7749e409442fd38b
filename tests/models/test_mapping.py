"""Records in a format of their own: each canonical field is read from its place."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.event import Event, Reason, Rejected
from models.identifiers import NamespaceRule, Namespaces
from models.ids import EventId, Identifier
from models.mapping import Places
from models.normalise import plain
from models.parse import Position, parse
from models.policy import Policy

NOON = 1_795_320_000_000
CRM = Policy(
    channel="crm",
    zone=ZoneInfo("Asia/Shanghai"),
    namespaces=Namespaces({name: NamespaceRule(name, rank, plain) for rank, name in enumerate(("user_id", "phone"))}),
    places=Places(
        event="type",
        event_id="meta.uuid",
        occurred_at="meta.created",
        properties="payload",
        identifiers={"user_id": "customer.id", "phone": "customer.mobile"},
    ),
)


def read(raw: bytes) -> Event | Rejected:
    return parse(raw, CRM, Position("behaviour.crm", 0, 5), NOON)


def test_a_record_in_a_format_of_its_own_is_read_by_places() -> None:
    raw = b'{"type":"visit","meta":{"uuid":"m1","created":"2026-11-22 11:00:00"},"payload":{ "a":1e999 },'
    raw += b'"customer":{"id":42,"mobile":["13800138000"]}}'
    assert read(raw) == Event(
        event_id=EventId("m1"),
        event="visit",
        channel="crm",
        occurred_at=1_795_316_400_000,
        received_at=NOON,
        identifiers=(Identifier("user_id", "42"), Identifier("phone", "13800138000")),
        properties=b'{ "a":1e999 }',
    )


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("[]", "not_an_object"),
        ('{"type":"visit"', "not_json"),
        ('{"event":"visit","customer":{"id":42}}', "missing_event"),
        ('{"type":{},"customer":{"id":42}}', "bad_event"),
        ('{"type":"visit","customer":"42"}', "no_identifier"),
        ('{"type":"visit","customer":{"id":1e999}}', "no_identifier"),
        ('{"type":"visit","customer":{"id":42},"meta":{"created":"soon"}}', "bad_time"),
    ],
)
def test_what_is_missing_at_its_place_is_missing(raw: str, reason: Reason) -> None:
    found = read(raw.encode())
    assert isinstance(found, Rejected)
    assert found.reason == reason


@given(st.binary(max_size=60) | st.from_regex(r'\{"(type|customer|meta)":[][{}",:a-z0-9]{0,20}\}').map(str.encode))
def test_anything_is_an_event_or_rejected(raw: bytes) -> None:
    assert isinstance(read(raw), Event | Rejected)
