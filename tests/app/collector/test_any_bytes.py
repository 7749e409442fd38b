"""Any bytes in: a verdict out, in every language that the collector understands."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.collector.channels import Intake, intakes
from app.collector.post import Frame
from app.collector.protocols import CONVERSIONS
from app.config import load
from app.settings import Settings
from models.edge import Summary
from models.event import Event, Rejected
from models.parse import Position, parse
from models.segment import Envelope
from models.sensors import Parting
from tests.app.collector.conftest import CONFIG

WORDS = (
    "event",
    "type",
    "userId",
    "identifiers",
    "user_id",
    "distinct_id",
    "identities",
    "properties",
    "$set",
    "time",
    "context",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["track", "track_id_unbind"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
NEARLY = st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=6).map(lambda said: json.dumps(said).encode())
BYTES = st.binary(max_size=80) | NEARLY | NEARLY.map(lambda raw: raw[: len(raw) // 2])
AT = Position("t", 0, 0)


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Intake]:
    place = tmp_path_factory.mktemp("any")
    (place / "onetrail.toml").write_text(CONFIG)
    environment = {"ONETRAIL_DATA": str(place)}
    return dict(intakes(Settings.from_environment(environment, generate=False), load(place / "onetrail.toml")))


@pytest.mark.parametrize("channel", ["web", "crm"])
@pytest.mark.parametrize("protocol", sorted(CONVERSIONS))
@settings(max_examples=50)
@given(raw=BYTES, kind=st.sampled_from([None, "page", "alias"]), sent_at=VALUES)
def test_a_message_is_an_event_a_request_or_is_refused(
    channels: dict[str, Intake], channel: str, protocol: str, raw: bytes, kind: str | None, sent_at: object
) -> None:
    frame = Frame(kind, Envelope({"ip": msgspec.Raw(b"1")}, sent_at))
    found = CONVERSIONS[protocol](raw, frame, channels[channel], "by chance")
    assert isinstance(found, bytes | Parting | Summary | Rejected)
    if isinstance(found, bytes):
        assert isinstance(parse(found, channels[channel].policy, AT, 1_790_000_000_000), Event | Rejected)
