"""Frames of requests: which bodies hold messages, how many, and whose they are."""

import base64
import contextlib
import gzip
import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.collector.post import EVENT_BYTES_MAX, EVENTS_MAX
from app.collector.protocols import ROUTES, events, posthog_batch, segment_batch, segment_message, sensors_form
from app.web import Refusal


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (b'{"event": 1}', 1),
        (b' {"event":\n 1}\n', 1),
        (b"[]", 0),
        (b"[{}, 1, null]", 3),
        (b"{}\n{}\r\n\n{}\n", 3),
        (b"{}\nno event\n[1]", 3),
        (rb'{"event": "\ud83d"}', 1),
        (rb'[{"event": "\ud83d"}, {}]', 2),
        (b"{" * 9000 + b"}" * 9000 + b"\n{}", 2),
    ],
)
def test_events_come_alone_in_an_array_or_one_a_line(body: bytes, messages: int) -> None:
    assert len(events(body).messages) == messages


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"[{}", b"[{}\n{}", b"null", b"5", b'"text"', b"a\nb", b"\xff\xfe{\x00}\x00"])
def test_a_body_in_which_nothing_can_be_read_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        events(body)
    assert refused.value.code == "bad_request"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"batch": null}', b'{"batch": {}}', b'{"batch": [}', b"", b"null"])
def test_a_batch_is_an_object_with_a_list(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        segment_batch(body)
    assert refused.value.code == "bad_request"


def test_one_message_with_half_a_character_does_not_spoil_its_batch() -> None:
    assert len(segment_batch(rb'{"batch": [{"event": "\ud83d"}, {}], "writeKey": "k"}').messages) == 2


def test_the_write_key_is_that_of_the_frame_or_of_the_first_event() -> None:
    assert segment_batch(b'{"batch": [], "writeKey": "k"}').write_key == "k"
    assert segment_message("track", b'{"writeKey": "k"}').write_key == "k"
    assert events(b'{"writeKey": "k"}').write_key == "k"
    assert events(b'[{"writeKey": "k"}, {"writeKey": "l"}]').write_key == "k"
    assert events(b"[]").write_key is None


@pytest.mark.parametrize("read", [events, ROUTES["/v1/t"]])
def test_a_lone_event_over_the_limit_is_too_large(read: object) -> None:
    assert callable(read)
    fits = b'{"event": "' + b"x" * (EVENT_BYTES_MAX - 13) + b'"}'
    read(fits)
    with pytest.raises(Refusal) as refused:
        read(fits.replace(b'"}', b'x"}'))
    assert refused.value.code == "too_large"


def test_in_an_array_even_of_one_its_size_is_a_matter_of_the_verdict() -> None:
    assert len(events(json.dumps([{"event": "x" * EVENT_BYTES_MAX}]).encode()).messages) == 1


def test_very_many_events_are_too_large() -> None:
    with pytest.raises(Refusal, match="at most 100000 events"):
        events(b"[" + b"1," * EVENTS_MAX + b"1]")


def test_a_context_that_would_multiply_beyond_bounds_is_too_large() -> None:
    context = {"context": {"a": "x" * 30_000}, "batch": [{}] * 3_000}
    with pytest.raises(Refusal, match="context"):
        segment_batch(json.dumps(context).encode())


def test_every_type_of_segment_has_its_path_and_its_letter() -> None:
    long = {"/v1/track", "/v1/identify", "/v1/page", "/v1/screen", "/v1/group", "/v1/alias", "/v1/batch", "/v1/events"}
    ours = {"/v1/filtered"}
    assert {path for path in ROUTES if path.startswith("/v1/")} - ours == long | {f"/v1/{letter}" for letter in "tipsgab"}


def test_posthogs_batch_has_its_key_inside() -> None:
    post = posthog_batch(b'{"api_key": "k", "batch": [{}, {}], "sent_at": "2026-11-22T12:00:00Z"}')
    assert (post.write_key, len(post.messages)) == ("k", 2)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(("field", "text", "messages"), [("data", b'{"type": "track"}', 1), ("data_list", b"[{}, 5]", 2)])
def test_a_form_of_sensors_has_one_message_or_a_list(
    field: str, text: bytes, messages: int, pack: Callable[[bytes], bytes]
) -> None:
    body = urlencode({field: base64.b64encode(pack(text)), "gzip": "1"}).encode()
    assert len(sensors_form(body).messages) == messages


@pytest.mark.parametrize("body", [b"", b"data=", b"data=%%%", b"data=bm9uc2Vuc2U=", b"data_list=e30=", b"a&" * 500, b"\xff=1"])
def test_a_form_in_which_nothing_can_be_read_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        sensors_form(body)
    assert refused.value.code == "bad_request"


@given(st.binary(max_size=100), st.sampled_from(sorted(ROUTES)))
def test_any_body_holds_messages_or_is_refused(body: bytes, path: str) -> None:
    with contextlib.suppress(Refusal):
        ROUTES[path](body)
