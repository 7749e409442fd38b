"""The collector as SDKs and pages see it, over real HTTP; Kafka is a list."""

import asyncio
import base64
import gzip
import json
from typing import Any

import pytest

from tests.app.collector.conftest import Door

Event = dict[str, Any]
BIG = "x" * 33_000


async def test_an_accepted_event_is_in_its_channel_and_the_answer_is_exactly_200(door: Door, event: Event) -> None:
    assert await door.post("/v1/events", event) == (200, {"success": True, "accepted": 1, "rejected": []})
    assert door.events() == [event]


async def test_one_bad_event_does_not_fail_its_batch(door: Door, event: Event) -> None:
    status, answer = await door.post("/v1/events", [event, {"event": "x"}, 5, {**event, "event_id": "2"}])
    assert status == 200
    refused = [{"index": 1, "reason": "no_identifier"}, {"index": 2, "reason": "not_an_object"}]
    assert answer == {"success": True, "accepted": 2, "rejected": refused}
    assert [one["event_id"] for one in door.events()] == ["1", "2"]


async def test_what_is_refused_is_kept_with_its_bytes_reason_and_origin(door: Door) -> None:
    await door.post("/v1/events", b'[{"event" : "x"}]')
    ((raw, headers),) = door.refused()
    assert raw == b'{"event" : "x"}'
    assert (headers["reason"], headers["source_topic"], headers["protocol"]) == ("no_identifier", "collector:web", "canonical")
    assert headers["rule"]
    assert headers["at"].endswith("+08:00")


async def test_lines_of_json_are_events(door: Door, event: Event) -> None:
    lines = json.dumps(event).encode() + b"\nno json\n" + json.dumps({**event, "event_id": "2"}).encode() + b"\n"
    _, answer = await door.post("/v1/events", lines)
    assert (answer["accepted"], answer["rejected"]) == (2, [{"index": 1, "reason": "not_json"}])


async def test_a_batch_of_segment_is_canonical_in_the_topic(door: Door) -> None:
    message = {
        "type": "track",
        "event": "login",
        "userId": "42",
        "anonymousId": None,
        "messageId": "m",
        "context": {"ip": "10.0.0.1"},
    }
    sent = {"batch": [message, {"type": "nonsense"}], "context": {"locale": "zh"}, "sentAt": "2026-11-22T12:00:00Z"}
    _, answer = await door.post("/v1/batch", sent)
    assert (answer["accepted"], answer["rejected"]) == (1, [{"index": 1, "reason": "bad_event"}])
    context = {"locale": "zh", "ip": "10.0.0.1"}
    expected = {"event_id": "m", "event": "login", "sent_at": "2026-11-22T12:00:00Z", "identifiers": {"user_id": "42"}}
    assert door.events() == [{**expected, "context": context}]


@pytest.mark.parametrize("path", ["/v1/t", "/v1/track", "/v1/track/"])
async def test_the_browser_sends_text_with_the_key_in_the_body(door: Door, path: str) -> None:
    message = {"event": "login", "userId": "42", "writeKey": "key"}
    status, _ = await door.post(path, message, key=None, **{"Content-Type": "text/plain"})
    assert status == 200
    assert "key" not in door.events()[0].values()


@pytest.mark.parametrize(("key", "in_body"), [(None, None), ("other", None), ("other", "key"), (None, "other"), (None, 5)])
async def test_an_unknown_key_is_401(door: Door, event: Event, key: str | None, in_body: object) -> None:
    status, answer = await door.post("/v1/events", {**event, "writeKey": in_body}, key)
    assert (status, answer["error"]["code"]) == (401, "unauthorized")
    assert not door.sink.records


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"])
@pytest.mark.parametrize("encoding", [{}, {"Content-Encoding": "gzip"}])
async def test_gzip_is_known_by_its_bytes(door: Door, event: Event, content_type: str, encoding: dict[str, str]) -> None:
    packed = gzip.compress(json.dumps(event).encode())
    status, _ = await door.post("/v1/events", packed, **{"Content-Type": content_type, **encoding})
    assert status == 200


async def test_plain_json_that_is_called_gzip_is_plain_json(door: Door, event: Event) -> None:
    status, _ = await door.post("/v1/events", event, **{"Content-Encoding": "gzip"})
    assert status == 200


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\x1f\x8bnonsense", gzip.compress(b"nonsense", mtime=0), b"\x00\xff"])
async def test_a_body_in_which_nothing_can_be_read_is_400(door: Door, body: bytes) -> None:
    status, answer = await door.post("/v1/batch", body)
    assert (status, answer["error"]["code"]) == (400, "bad_request")


async def test_a_single_event_over_the_limit_is_413_and_in_an_array_a_verdict(door: Door, event: Event) -> None:
    big = {**event, "properties": {"text": BIG}}
    assert (await door.post("/v1/events", big))[0] == 413
    status, answer = await door.post("/v1/events", [big])
    assert (status, answer["rejected"]) == (200, [{"index": 0, "reason": "too_large"}])
    assert door.refused()[0][0] == json.dumps([big], separators=(",", ":")).encode()[1:-1]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_a_body_over_the_limit_is_413(door: Door, pack: Any) -> None:
    status, answer = await door.post("/v1/batch", pack(b" " * 4_200_000))
    assert (status, answer["error"]["code"]) == (413, "too_large")


async def test_a_body_of_unknown_length_over_the_limit_is_413(door: Door) -> None:
    async def endless() -> Any:
        for _ in range(200):
            yield b" " * 65_536
            await asyncio.sleep(0)

    async with door.http.post(f"{door.url}/v1/batch?", data=endless(), headers={"Authorization": "Basic a2V5Og=="}) as response:
        assert response.status == 413


async def test_without_kafka_the_sender_is_told_to_try_again(door: Door, event: Event) -> None:
    door.sink.down = True
    async with door.http.post(f"{door.url}/v1/events", json={**event, "writeKey": "key"}) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert (await response.json())["error"]["code"] == "not_ready"


async def test_an_event_without_an_id_is_the_same_event_when_it_is_sent_again(door: Door) -> None:
    message = {"type": "track", "event": "login", "userId": "42", "timestamp": "2026-11-22T12:00:00Z"}
    for sent_at in ("2026-11-22T12:00:01Z", "2026-11-22T12:00:09Z"):
        await door.post("/v1/batch", {"batch": [message], "sentAt": sent_at})
    first, second = door.events()
    assert first["event_id"] == second["event_id"]


async def test_events_without_id_and_time_are_all_different(door: Door) -> None:
    message = {"type": "track", "event": "login", "userId": "42"}
    await door.post("/v1/batch", {"batch": [message, message], "sentAt": "2026-11-22T12:00:01Z"})
    await door.post("/v1/batch", {"batch": [message], "sentAt": "2026-11-22T12:00:01Z"})
    assert len({one["event_id"] for one in door.events()}) == 3


async def test_a_channel_with_a_format_of_its_own_takes_its_own_records_only(door: Door) -> None:
    assert (await door.post("/v1/events", {"what": "called", "who": 7}, "crm"))[1]["accepted"] == 1
    assert door.events("crm") == [{"what": "called", "who": 7}]
    assert (await door.post("/v1/batch", {"batch": []}, "crm"))[0] == 400


@pytest.mark.parametrize("address", ["/sa?token=key", "/sa?project=default&token=key", "/sa?project=key"])
async def test_a_form_of_sensors_has_its_key_in_the_address(door: Door, address: str) -> None:
    message = {"type": "track", "event": "Buy", "distinct_id": "d", "identities": {"$identity_login_id": "42"}}
    form = b"data=" + base64.b64encode(gzip.compress(json.dumps(message).encode())).replace(b"+", b"%2B") + b"&gzip=1"
    assert (await door.post(address, form, key=None))[1]["accepted"] == 1
    assert door.events()[0]["identifiers"]["user_id"] == "42"


async def test_an_unbinding_is_a_request_and_again_the_same_one(door: Door) -> None:
    identities = {"$identity_login_id": "42", "$identity_cookie_id": "a"}
    message = {"type": "track_id_unbind", "distinct_id": "42", "identities": identities}
    form = b"data=" + base64.b64encode(json.dumps(message).encode()).replace(b"+", b"%2B")
    for _ in range(2):
        assert (await door.post("/sa?token=key", form, key=None))[1]["accepted"] == 1
    first, second = [record for record in door.sink.records if record.topic == "onetrail.requests"]
    assert first == second
    asked = json.loads(first.value or b"")
    assert (asked["type"], asked["a"].split(":")[0], asked["b"].split(":")[0]) == ("unlink", "anonymous_id", "user_id")


async def test_a_batch_of_posthog_is_canonical_in_the_topic(door: Door) -> None:
    given = {"event": "$identify", "distinct_id": "u", "uuid": "7", "properties": {"$anon_distinct_id": "a"}}
    _, answer = await door.post("/batch/", {"api_key": "key", "batch": [given, {"event": "x"}]}, key=None)
    assert (answer["accepted"], answer["rejected"]) == (1, [{"index": 1, "reason": "no_identifier"}])
    assert door.events()[0]["identifiers"] == {"distinct_id": ["u", "a"], "anonymous_id": "a"}


async def test_a_page_of_any_origin_may_send(door: Door) -> None:
    asked = {"Origin": "https://shop.example.com", "Access-Control-Request-Headers": "authorization,x-trace"}
    async with door.http.options(f"{door.url}/v1/batch", headers=asked) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example.com"
        allowed = {name.strip().lower() for name in response.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "content-encoding", "anonymousid", "keep-alive", "x-trace"} <= allowed


async def test_refusals_are_readable_for_pages_too(door: Door) -> None:
    async with door.http.post(f"{door.url}/v1/t", data=b"{}", headers={"Origin": "https://a.example.com"}) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (401, "https://a.example.com")
        assert "WWW-Authenticate" not in response.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("POST", "/v1/nothing", 404, "not_found"),
        ("OPTIONS", "/nothing", 404, "not_found"),
        ("GET", "/v1/batch", 405, "method_not_allowed"),
        ("DELETE", "/v1/events", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
    ],
)
async def test_unknown_paths_and_methods_answer_in_the_usual_shape(
    door: Door, method: str, path: str, status: int, code: str
) -> None:
    async with door.http.request(method, door.url + path) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (status, code)


async def test_health_is_ours_and_readiness_is_kafkas(door: Door) -> None:
    async def status(path: str) -> int:
        async with door.http.get(door.url + path) as response:
            return response.status

    assert [await status("/healthz"), await status("/readyz")] == [200, 200]
    door.sink.down = True
    assert [await status("/healthz"), await status("/readyz")] == [200, 503]


async def test_metrics_count_what_was_taken_and_refused(door: Door, event: Event) -> None:
    await door.post("/v1/events", [event, {}])
    async with door.http.get(f"{door.url}/metrics") as response:
        text = await response.text()
    assert 'onetrail_collector_events_total{channel="web"} 1.0' in text
    assert 'onetrail_collector_rejected_total{channel="web",reason="missing_event"} 1.0' in text
    assert "onetrail_collector_held_bytes 0.0" in text


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Basic a2V5Og==\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
async def test_what_is_hardly_http_is_answered_without_a_traceback(door: Door, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rpartition(":")[2]))
    writer.write(raw)
    answer = await asyncio.wait_for(reader.readuntil(b"}"), 5)
    writer.close()
    assert answer.split(b" ")[1] in (b"400", b"401")
    assert b'{"error":{' in answer
    assert b"Traceback" not in answer
