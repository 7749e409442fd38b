"""Fetches are spelled out as the client library spells them, byte by byte and value by value."""

from io import BytesIO
from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v10, FetchRequest_v11, FetchResponse_v11
from hypothesis import given
from hypothesis import strategies as st

from app.runtime.fetches import Answer, Question, quicken

SMALL, LARGE = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
TOPIC = st.text("abc.-_é", min_size=1, max_size=30)
ASKED = st.lists(st.tuples(TOPIC, st.lists(st.tuples(SMALL, LARGE, SMALL), max_size=4)), max_size=4)
ABORTED = st.none() | st.lists(st.tuples(LARGE, LARGE), max_size=3)
PARTITION = st.tuples(SMALL, st.integers(-1, 100), LARGE, LARGE, LARGE, ABORTED, SMALL, st.none() | st.binary(max_size=50))
TOLD = st.lists(st.tuples(TOPIC, st.lists(PARTITION, max_size=4)), max_size=4)
KNOWS_11, KNOWS_10 = {1: (0, 17)}, {1: (0, 10)}


@given(ASKED)
def test_a_question_has_the_bytes_that_the_library_writes(topics: Any) -> None:
    fetch = FetchRequest(500, 1, 1_000_000, 1, topics, rack_id="r")
    assert fetch.build(Question).encode() == fetch.build(FetchRequest_v11).encode()


@given(TOLD)
def test_an_answer_has_the_values_that_the_library_reads(topics: Any) -> None:
    raw = FetchResponse_v11(7, 0, 3, topics).encode()
    ours, theirs = Answer.decode(BytesIO(raw)), FetchResponse_v11.decode(BytesIO(raw))
    assert vars(ours) == vars(theirs)


def test_an_answer_is_read_from_where_the_buffer_stands_to_its_end() -> None:
    raw = FetchResponse_v11(0, 0, 0, [("a", [(0, 0, 5, 5, 0, [], -1, b"records")])]).encode()
    buffer = BytesIO(b"head" + raw + b"rest")
    buffer.seek(4)
    assert Answer.decode(buffer).topics[0][1][0][-1] == b"records"
    assert buffer.read() == b"rest"


def test_an_answer_that_is_cut_off_is_an_error() -> None:
    raw = FetchResponse_v11(0, 0, 0, [("a", [(0, 0, 5, 5, 0, [], -1, b"records")])]).encode()
    with pytest.raises(ValueError, match="cut off"):
        Answer.decode(BytesIO(raw[:-1]))


def test_brokers_that_know_the_version_are_asked_with_it_and_others_as_before() -> None:
    quicken()
    quicken()
    fetch = FetchRequest(500, 1, 1_000_000, 1, [("a", [(0, 1, 2)])])
    assert type(fetch.prepare(KNOWS_11)) is Question
    assert type(fetch.prepare(KNOWS_10)) is FetchRequest_v10
    assert FetchRequest._CLASSES.count(Question) == 1


def test_what_is_logged_names_the_topics() -> None:
    fetch = FetchRequest(500, 1, 1_000_000, 1, [("behaviour.web", [(0, 1, 2)])])
    assert "behaviour.web" in repr(fetch.build(Question))
    assert "behaviour.web" in repr(Answer(0, 0, 0, [("behaviour.web", [])]))
