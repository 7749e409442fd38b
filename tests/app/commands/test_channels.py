"""`onetrail channels` for people: a screen of 80 columns, on which nothing is cut."""

import io

from rich.console import Console

from app.commands.channels import show

HEARD = {
    "channel": "mini_program",
    "events": 16_147,
    "rejected": {"bad_time": 2, "too_many_identifiers": 1},
    "filtered": {"view_too_short": 4},
    "last_seen": "2026-11-22T21:15:37.286+08:00",
    "silent": False,
}
SILENT = {"channel": "online_service", "events": 0, "rejected": {}, "filtered": {}, "last_seen": None, "silent": True}
DOCUMENT = {"since": "2026-11-21T21:16:23.917+08:00", "coverage": 50.0, "channels": [HEARD, SILENT]}


def test_each_channel_is_whole_on_eighty_columns() -> None:
    console = Console(file=io.StringIO(), width=80)
    show(DOCUMENT, console)
    told = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO
    assert "…" not in told
    for whole in ("1 of 2", "mini_program", "16,147", "2 bad_time", "2026-11-22 21:15:37", "online_service", "silent", "never"):
        assert whole in told
