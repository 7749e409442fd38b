"""`onetrail audit`: what a record looks like on the screen, and by which key it is looked for."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.commands.audit import key_named, line_of, shown
from app.commands.failure import Failure
from app.config import load
from app.settings import PACKAGED_CONFIG, Settings
from models.ids import Identifier, key_of

KEY = "sixteen letters!"
CONFIG = load(PACKAGED_CONFIG)


def settings(data: Path, **env: str) -> Settings:
    return Settings.from_environment({"ONETRAIL_DATA": str(data), **env}, generate=False)


def test_an_identifier_is_looked_for_by_its_key_in_any_spelling(tmp_path: Path) -> None:
    wanted = key_of(KEY.encode(), Identifier("phone", "+8613800138000"))
    for text in ("phone:13800138000", "phone:+86 138 0013 8000"):
        assert key_named(settings(tmp_path, ONETRAIL_PII_KEY=KEY), CONFIG, text) == wanted


def test_what_cannot_be_looked_for_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="ONETRAIL_PII_KEY"):
        key_named(settings(tmp_path), CONFIG, "phone:13800138000")
    for text in ("13800138000", "nothing:1", "phone:letters"):
        with pytest.raises(Failure, match="cannot be one"):
            key_named(settings(tmp_path, ONETRAIL_PII_KEY=KEY), CONFIG, text)


def test_its_time_is_in_the_zone_of_display() -> None:
    record = {"at": "2026-11-22T08:00:00.000+00:00", "who": "crm"}
    assert shown(record, ZoneInfo("Asia/Shanghai")) == {"at": "2026-11-22T16:00:00.000+08:00", "who": "crm"}


def test_a_record_is_one_line() -> None:
    record = {"at": "2026-11-22T08:00:00.000+00:00", "who": "crm", "status": 200, "method": "GET", "route": "/v1/users/{uid}"}
    line = line_of({**record, "identifiers": [], "unified_user_id": "u_1", "request_id": None, "purpose": "ticket 4711"})
    assert line == "2026-11-22T08:00:00.000+00:00  crm  200  GET /v1/users/{uid}  u_1  (ticket 4711)"
