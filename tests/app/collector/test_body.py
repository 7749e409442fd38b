"""Bytes of requests: what unpacks, and that nothing unpacks without end."""

import contextlib
import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.collector.body import BYTES_MAX, MEMBERS_MAX, unpacked
from app.web import Refusal


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_what_was_packed_is_unpacked_also_of_several_members(parts: list[bytes]) -> None:
    assert unpacked(b"".join(map(gzip.compress, parts))) == b"".join(parts)


@given(st.binary(max_size=200))
def test_any_bytes_that_begin_like_gzip_are_unpacked_or_refused(rest: bytes) -> None:
    with contextlib.suppress(Refusal):
        unpacked(b"\x1f\x8b" + rest)


def test_what_ends_too_early_is_refused() -> None:
    with pytest.raises(Refusal, match="ends too early"):
        unpacked(gzip.compress(b"x" * 1000)[:-9])


def test_a_body_that_unpacks_to_the_limit_is_taken() -> None:
    assert len(unpacked(gzip.compress(bytes(BYTES_MAX)))) == BYTES_MAX


def test_a_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50 * BYTES_MAX), compresslevel=9)
    tracemalloc.start()
    with pytest.raises(Refusal) as refused:
        unpacked(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == "too_large"
    assert peak < 4 * BYTES_MAX


def test_very_many_members_are_refused() -> None:
    with pytest.raises(Refusal, match="members"):
        unpacked(gzip.compress(b"") * (MEMBERS_MAX + 1))
