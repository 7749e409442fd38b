"""Packs: many messages for one partition travel as one Kafka record.

A message carries a sequence number that rises per (source partition -> destination partition); the pack names the
source. The destination keeps the last number seen of each source and drops what it has seen, so a stage that repeats
its work after a crash is heard once. This holds only if a destination never misses a pack that an earlier one preceded:
hence the *rounds*, of which each is acknowledged before the next is sent.
"""

import zlib
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

import msgspec

M = TypeVar("M")

PACK_BYTES = 256_000
"""A pack is cut here; a single message above it travels alone."""
PACK_MESSAGES = 8_000
_INDEX_BITS, _OUTPUT_BITS = 13, 14
_PAIR, _ARRAY = b"\x92", b"\xdd"
"""MessagePack: an array of two; an array whose length follows in four bytes."""
_encode = msgspec.msgpack.Encoder().encode
OUTPUTS = 1 << _OUTPUT_BITS
"""What one message may send."""


class Pack(msgspec.Struct, Generic[M], array_like=True, gc=False):
    """What one record of an inbox holds: whence, and (sequence number, message) in rising order."""

    source: str
    messages: list[tuple[int, M]]


class Packed(NamedTuple):
    """A record that is ready to be sent to a partition."""

    topic: str
    partition: int
    value: bytes


def place(route: str, partitions: int) -> int:
    """The partition of a route: CRC-32 of its UTF-8 text, modulo their number."""
    return zlib.crc32(route.encode()) % partitions


def moment(offset: int, index: int) -> int:
    """Orders the messages of a partition: by the offset of the record, then the message in it."""
    if index >> _INDEX_BITS:
        raise ValueError(f"record {offset} has no number for message {index}")
    return offset << _INDEX_BITS | index


def offset_at(moment: int) -> int:
    """The offset of the record of a moment."""
    return moment >> _INDEX_BITS


def sequence(offset: int, index: int, output: int) -> int:
    """Orders outputs: by the moment of the message, then the output among those of the message."""
    if output >= OUTPUTS:
        raise ValueError(f"message {index} of record {offset} has no number for output {output}")
    return numbers(moment(offset, index)) + output


def numbers(moment: int) -> int:
    """The number of the first output of the message of a moment; each further output has the next one."""
    return moment << _OUTPUT_BITS


class _Parcel:
    """What waits for one destination: packs of encoded messages, the last one still open, with room for so many bytes."""

    __slots__ = ("packs", "room")

    def __init__(self) -> None:
        self.packs: list[list[bytes]] = [[]]
        self.room = PACK_BYTES

    def add(self, message: bytes) -> None:
        """The message goes into a new pack if it does not fit into the open one."""
        size = len(message)
        if (size > self.room and self.packs[-1]) or len(self.packs[-1]) >= PACK_MESSAGES:
            self.packs.append([])
            self.room = PACK_BYTES
        self.packs[-1].append(message)
        self.room -= size


def offset_of(number: int) -> int:
    """The offset of the record that a sequence number belongs to."""
    return offset_at(number >> _OUTPUT_BITS)


class Outbox:
    """Messages out, encoded once: a pack is put together from their bytes, as MessagePack of a `Pack`."""

    def __init__(self, source: str, partitions: int) -> None:
        self._source, self._partitions = _encode(source), partitions
        self._parcels: dict[tuple[str, int], _Parcel] = {}

    def send(self, topic: str, route: str, number: int, message: object) -> None:
        """Adds a message for the partition of `route`; numbers of one destination must rise."""
        self.send_to(topic, place(route, self._partitions), number, message)

    def send_to(self, topic: str, partition: int, number: int, message: object) -> None:
        """The same, for a partition that the caller knows."""
        parcel = self._parcels.get((topic, partition))
        if parcel is None:
            parcel = self._parcels[topic, partition] = _Parcel()
        parcel.add(_encode((number, message)))

    def __bool__(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._parcels)

    def rounds(self) -> Iterator[list[Packed]]:
        """The n-th round holds the n-th pack of every destination."""
        for n in range(max((len(parcel.packs) for parcel in self._parcels.values()), default=0)):
            yield [Packed(*to, self._pack(parcel.packs[n])) for to, parcel in self._parcels.items() if n < len(parcel.packs)]

    def _pack(self, messages: list[bytes]) -> bytes:
        return b"".join((_PAIR, self._source, _ARRAY, len(messages).to_bytes(4, "big"), *messages))
