"""How instants are shown: RFC 3339 with milliseconds, in a time zone."""

from datetime import datetime, tzinfo


def rfc3339(instant_ms: int, zone: tzinfo) -> str:
    """`2026-11-22T16:00:00.123+08:00` for UTC milliseconds."""
    return datetime.fromtimestamp(instant_ms / 1000, zone).isoformat(timespec="milliseconds")
