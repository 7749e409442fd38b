"""A spool of its own, the sieve of a small configuration, and events."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import load
from app.edge.sieve import Sieve
from app.edge.spool import Spool

CONFIG = """
[identity.namespaces.user_id]
priority = 1
[channels.web]
write_keys = ["key"]
[channels.crm]
format = "map"
[channels.crm.map]
event = "what"
[channels.crm.map.identifiers]
user_id = "who"
"""
NOW = 1_790_000_000_000


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool" / "spool.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    file = tmp_path / "onetrail.toml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def sieve(config_file: Path) -> Sieve:
    config = load(config_file)
    return Sieve(config, config.channels["web"])


def line(number: int, **more: object) -> bytes:
    """A valid event as a line of a file."""
    said = {"event_id": f"e{number}", "event": "seen", "occurred_at": NOW + number, "identifiers": {"user_id": "42"}}
    return json.dumps({**said, **more}).encode()
