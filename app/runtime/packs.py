"""Packs: many messages for one partition travel as one Kafka record.

A message carries a sequence number that rises per (source partition -> destination partition); the pack names the
source. The destination keeps the last number seen of each source and drops what it has seen, so a stage that repeats
its work after a crash is heard once. This holds only if a destination never misses a pack that an earlier one preceded:
hence the *rounds*, of which each is acknowledged before the next is sent.
"""

import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

import msgspec

M = TypeVar("M")

PACK_BYTES = 256_000
"""A pack is cut here; a single message above it travels alone."""
PACK_MESSAGES = 8_000
_INDEX_BITS, _OUTPUT_BITS = 13, 14
OUTPUTS = 1 << _OUTPUT_BITS
"""What one message may send."""


class Pack(msgspec.Struct, Generic[M], array_like=True):
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


@lru_cache(maxsize=200_000)
def _placed(route: str, partitions: int) -> int:
    return place(route, partitions)


def moment(offset: int, index: int) -> int:
    """Orders the messages of a partition: by the offset of the record, then the message in it."""
    if index >> _INDEX_BITS:
        raise ValueError(f"record {offset} has no number for message {index}")
    return offset << _INDEX_BITS | index


def sequence(offset: int, index: int, output: int) -> int:
    """Orders outputs: by the moment of the message, then the output among those of the message."""
    if output >= OUTPUTS:
        raise ValueError(f"message {index} of record {offset} has no number for output {output}")
    return moment(offset, index) << _OUTPUT_BITS | output


def offset_of(number: int) -> int:
    """The offset of the record that a sequence number belongs to."""
    return number >> _OUTPUT_BITS >> _INDEX_BITS


class Outbox:
    """Messages out, in chunks per destination partition; a chunk becomes one pack."""

    def __init__(self, source: str, partitions: int) -> None:
        self._source, self._partitions = source, partitions
        self._encode = msgspec.msgpack.Encoder().encode
        self._chunks: dict[tuple[str, int], list[list[tuple[int, msgspec.Raw]]]] = {}
        self._room: dict[tuple[str, int], int] = {}

    def send(self, topic: str, route: str, number: int, message: object) -> None:
        """Adds a message for the partition of `route`; numbers of one destination must rise."""
        self.send_to(topic, _placed(route, self._partitions), number, message)

    def send_to(self, topic: str, partition: int, number: int, message: object) -> None:
        """The same, for a partition that the caller knows."""
        to, body = (topic, partition), self._encode(message)
        room = self._room.get(to, 0) - len(body) - 12
        chunks = self._chunks.setdefault(to, [])
        if room < 0 or not chunks or len(chunks[-1]) >= PACK_MESSAGES:
            chunks.append([])
            room = PACK_BYTES - len(body)
        chunks[-1].append((number, msgspec.Raw(body)))
        self._room[to] = room

    def rounds(self) -> Iterator[list[Packed]]:
        """The n-th round holds the n-th pack of every destination."""
        for n in range(max(map(len, self._chunks.values()), default=0)):
            yield [
                Packed(*to, self._encode(Pack(self._source, chunks[n]))) for to, chunks in self._chunks.items() if n < len(chunks)
            ]
