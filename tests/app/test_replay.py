"""What a replay remembers, and how a line becomes a record."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.replay import Memory, Outgoing, first_identifier, outgoing

VALUES = st.lists(st.binary(max_size=3).filter(lambda value: b"\n" not in value), max_size=8)


def records(values: list[bytes]) -> Iterator[Outgoing]:
    return (Outgoing("topic", None, value) for value in values)


def left_of(path: Path, values: list[bytes]) -> list[bytes]:
    """What a next run of this sequence would send."""
    return [record.value for record in Memory(path).resume(lambda: records(values))]


@given(values=VALUES, more=VALUES, sent=st.integers(0, 8))
def test_a_sequence_is_resumed_where_it_was_left_also_when_it_has_grown(
    tmp_path_factory: pytest.TempPathFactory, values: list[bytes], more: list[bytes], sent: int
) -> None:
    path = tmp_path_factory.mktemp("memory") / "memory.json"
    memory = Memory(path)
    memory.add(islice(memory.resume(lambda: records(values)), sent))
    assert left_of(path, values + more) == (values + more)[min(sent, len(values)) :]


@pytest.mark.parametrize("changed", [[b"x", b"b", b"c"], [b"a", b"x", b"c"], [b"ab", b"", b"c"], [b"a"], []])
def test_a_sequence_that_changed_is_sent_from_its_beginning(tmp_path: Path, changed: list[bytes]) -> None:
    Memory(tmp_path / "memory.json").add(records([b"a", b"b"]))
    assert left_of(tmp_path / "memory.json", changed) == changed


@pytest.mark.parametrize("text", ["", "{", "[]", '{"records": "x", "digest": ""}', '{"records": 2, "digest": "0"}'])
def test_a_broken_memory_is_no_memory(tmp_path: Path, text: str) -> None:
    (tmp_path / "memory.json").write_text(text)
    assert left_of(tmp_path / "memory.json", [b"a", b"b", b"c"]) == [b"a", b"b", b"c"]


def test_what_is_forgotten_is_sent_again(tmp_path: Path) -> None:
    Memory(tmp_path / "memory.json").add(records([b"a"]))
    memory = Memory(tmp_path / "memory.json")
    memory.forget()
    assert [record.value for record in memory.resume(lambda: records([b"a", b"b"]))] == [b"a", b"b"]


@pytest.mark.parametrize(
    ("identifiers", "key"),
    [
        ({"user_id": "42", "phone": "1"}, b"42"),
        ({"user_id": 42}, b"42"),
        ({"phone": ["138", "139"]}, b"138"),
        ({"user_id": None}, None),
        ({"phone": []}, None),
        ({"user_id": 1.5}, None),
        ({}, None),
        (None, None),
        ("42", None),
    ],
)
def test_a_record_has_its_first_identifier_as_key(identifiers: object, key: bytes | None) -> None:
    assert first_identifier(identifiers) == key


def test_a_line_with_an_event_id_is_sent_as_it_is() -> None:
    line = b'{"event_id": "e1", "identifiers": {"user_id": "42"}, "x": 1.10}'
    assert outgoing(line, "file:1", "topic") == Outgoing("topic", b"42", line)


@pytest.mark.parametrize("line", [b'{"event": "a"}', b'{"event_id": null, "event": "a"}'])
def test_a_line_without_gets_one_that_is_the_same_the_next_time(line: bytes) -> None:
    first, again = outgoing(line, "file:1", "topic"), outgoing(line, "file:1", "topic")
    assert first == again
    assert first.value.startswith(line[:-1] + b',"event_id":"replay-')
    assert first.fit
    assert first != outgoing(line, "file:2", "topic")


def test_a_line_of_another_format_is_left_alone() -> None:
    assert outgoing(b'{"type": "call"}', None, "topic").value == b'{"type": "call"}'


@pytest.mark.parametrize("line", [b"{", b"[1]", b'"text"', b"null", b"\xff", b"[" * 100_000, b"{'a': 1}"])
def test_what_is_no_object_is_sent_as_it_is_and_known_to_be_unfit(line: bytes) -> None:
    assert outgoing(line, "file:1", "topic") == Outgoing("topic", None, line, fit=False)
