"""Requests that mean no good: each gets an answer of the usual shape, and none an event that nobody can read."""

import gzip

import pytest

from app.collector.protocols import ROUTES
from tests.app.collector.conftest import Door

BODIES = (
    b"",
    b"null",
    b"\x00" * 100,
    b"[[[[]]]]",
    b"[" * 50_000,
    b"{" * 50_000,
    b'{"batch":[' * 2_000,
    b'{"batch":[null,1,"x",[],{}]}',
    b'{"a":1e999}',
    b'{"batch":[{"type":"track","event":1e999,"userId":NaN}]}',
    b'{"batch":[{"type":"alias","previousId":":::","userId":{}}]}',
    b'{"writeKey":{"$gt":""}}',
    b'{"event":"\xed\xa0\x80"}',
    b'{"event":"x","event":"y","identifiers":{"user_id":"1"}}',
    b'{"event":"x","occurred_at":-1e308,"identifiers":{"user_id":[[1]]}}',
    b'{"event":"x","identifiers":' + b"[" * 500 + b"]" * 500 + b"}",
    b"data=%ff",
    b"\x1f\x8b",
    gzip.compress(b"[" * 100_000),
    gzip.compress(gzip.compress(b"{}")),
    '{"event":"x"}'.encode("utf-16"),
)
PATHS = (*sorted(ROUTES), "/", "/v1/../etc", "/%2e%2e/%00", "/v1/events?token=%ff")


@pytest.mark.parametrize("path", PATHS)
async def test_a_hostile_request_gets_an_answer_of_the_usual_shape(door: Door, path: str) -> None:
    for body in BODIES:
        for key in ("key", None):
            status, answer = await door.post(path, body, key, **{"X-Odd": "\u00e9" * 10})
            assert status in (200, 400, 401, 404, 413)
            assert answer["success"] is True if status == 200 else answer["error"]["message"]
