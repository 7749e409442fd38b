"""Packs: cut by size and count, placed by route, numbered in rising order, sent in rounds."""

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.runtime import packs
from app.runtime.packs import OUTPUTS, PACK_BYTES, PACK_MESSAGES, Outbox, Pack, Packed, moment, place, sequence

OFFSETS = st.integers(0, 1 << 36)
MOMENTS = st.tuples(OFFSETS, st.integers(0, PACK_MESSAGES), st.integers(0, OUTPUTS - 1))


@given(MOMENTS, MOMENTS)
def test_numbers_rise_with_record_then_message_then_output(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    assert (sequence(*one) < sequence(*other)) == (one < other)
    assert (moment(*one[:2]) < moment(*other[:2])) == (one[:2] < other[:2])


@given(MOMENTS)
def test_a_number_fits_into_a_pack(at: tuple[int, int, int]) -> None:
    pack = Pack("s", [(sequence(*at), b"")])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(pack), type=Pack[bytes]) == pack


@pytest.mark.parametrize(("index", "output"), [(1 << 13, 0), (0, OUTPUTS)])
def test_what_has_no_number_is_an_error(index: int, output: int) -> None:
    with pytest.raises(ValueError, match="has no number"):
        sequence(1, index, output)


@given(st.text(), st.integers(1, 64))
def test_a_route_is_placed_by_its_crc(route: str, partitions: int) -> None:
    assert place(route, partitions) == zlib.crc32(route.encode()) % partitions


def test_messages_to_one_partition_travel_together_in_order() -> None:
    outbox = Outbox("topic/3", 4)
    for number in range(5):
        outbox.send("inbox", "ann", number, f"message {number}")
    ((packed,),) = outbox.rounds()
    assert packed[:2] == ("inbox", place("ann", 4))
    assert opened(packed) == Pack("topic/3", [(number, f"message {number}") for number in range(5)])


def test_a_pack_is_cut_before_it_is_too_large() -> None:
    outbox = Outbox("s", 1)
    for number in range(10):
        outbox.send_to("inbox", 0, number, "x" * (PACK_BYTES // 4))
    rounds = list(outbox.rounds())
    assert [len(opened(pack).messages) for (pack,) in rounds] == [3, 3, 3, 1]
    assert all(len(pack.value) <= PACK_BYTES + 100 for (pack,) in rounds)


def test_a_message_larger_than_a_pack_travels_alone() -> None:
    outbox = Outbox("s", 1)
    for number, size in enumerate((1, 2 * PACK_BYTES, 1)):
        outbox.send_to("inbox", 0, number, "x" * size)
    assert [[number for number, _ in opened(pack).messages] for (pack,) in outbox.rounds()] == [[0], [1], [2]]


def test_a_round_has_at_most_one_pack_of_each_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "PACK_MESSAGES", 2)
    outbox = Outbox("s", 2)
    for number in range(5):
        outbox.send_to("inbox", 0, number, number)
    outbox.send_to("inbox", 1, 5, 5)
    found = [{(pack.topic, pack.partition): [n for n, _ in opened(pack).messages] for pack in one} for one in outbox.rounds()]
    assert found == [{("inbox", 0): [0, 1], ("inbox", 1): [5]}, {("inbox", 0): [2, 3]}, {("inbox", 0): [4]}]


def test_an_empty_outbox_has_no_rounds() -> None:
    assert list(Outbox("s", 2).rounds()) == []


def opened(packed: Packed) -> Pack[object]:
    return msgspec.msgpack.decode(packed.value, type=Pack[object])
