"""Fetches spelled out quickly: they name every partition, and there are hundreds of them a second while there is work.

The client library goes through its schema for each field of each partition, which takes 6 us a partition; one struct takes 1.
The bytes are the same: version 11 of Fetch (https://kafka.apache.org/protocol#The_Messages_Fetch). Brokers that do not know
this version are asked as the library asks them.
"""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from struct import Struct

from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11, FetchResponse_v11
from aiokafka.protocol.types import Schema

Asked = tuple[str, Sequence[tuple[int, int, int, int, int]]]
"""A topic; of each partition its number, the leader's epoch, the offset to read from, where the log starts, the most bytes."""
Aborted = list[tuple[int, int]]
Told = tuple[int, int, int, int, int, Aborted | None, int, bytes | None]
"""Partition, error code, high watermark, last stable offset, where the log starts, aborted transactions, replica, records."""

_COUNT, _LENGTH, _ASKED = Struct(">i"), Struct(">h"), Struct(">iiqqi")
_TOLD, _ABORTED, _TAIL = Struct(">ihqqqi"), Struct(">qq"), Struct(">ii")


class _AskedTopics:
    """The topics of a request."""

    def encode(self, topics: Sequence[Asked]) -> bytes:
        pack, parts = _ASKED.pack, [_COUNT.pack(len(topics))]
        for topic, partitions in topics:
            parts += _named(topic), _COUNT.pack(len(partitions))
            parts += [pack(*partition) for partition in partitions]
        return b"".join(parts)

    def repr(self, topics: Sequence[Asked]) -> str:
        return repr(topics)


class _ToldTopics:
    """The topics of an answer; reads where the buffer stands, and leaves it behind them."""

    def decode(self, data: BytesIO) -> list[tuple[str, list[Told]]]:
        raw, at = data.getvalue(), data.tell()
        (topics,) = _COUNT.unpack_from(raw, at)
        at, found = at + _COUNT.size, []
        for _ in range(topics):
            topic, at = _name(raw, at)
            partitions, at = _partitions(raw, at)
            found.append((topic, partitions))
        data.seek(at)
        return found

    def repr(self, topics: Sequence[tuple[str, list[Told]]]) -> str:
        return repr([topic for topic, _ in topics])


@cache
def _named(topic: str) -> bytes:
    name = topic.encode()
    return _LENGTH.pack(len(name)) + name


def _name(raw: bytes, at: int) -> tuple[str, int]:
    (length,) = _LENGTH.unpack_from(raw, at)
    begin = at + _LENGTH.size
    return raw[begin : begin + length].decode(), begin + length


def _partitions(raw: bytes, at: int) -> tuple[list[Told], int]:
    """The partitions of a topic from a place on, and the place behind them. ValueError: the answer ends within one."""
    head, tail, told = _TOLD.unpack_from, _TAIL.unpack_from, list[Told]()
    (count,) = _COUNT.unpack_from(raw, at)
    at += _COUNT.size
    for _ in range(count):
        partition, error, high, stable, start, transactions = head(raw, at)
        aborted, at = _aborted(raw, at + _TOLD.size, transactions)
        replica, size = tail(raw, at)
        begin = at + _TAIL.size
        at = begin + max(size, 0)
        records = raw[begin:at] if size >= 0 else None
        told.append((partition, error, high, stable, start, aborted, replica, records))
    if at > len(raw):
        raise ValueError("the records of a partition are cut off")
    return told, at


def _aborted(raw: bytes, at: int, transactions: int) -> tuple[Aborted | None, int]:
    if transactions < 0:
        return None, at
    end = at + transactions * _ABORTED.size
    return list(_ABORTED.iter_unpack(raw[at:end])), end


def _with(schema: Schema, topics: object) -> Schema:
    """The same, but for the field of the topics."""
    fields = zip(schema.names, schema.fields, strict=True)
    return Schema(*((name, topics if name == "topics" else field) for name, field in fields))


class Answer(FetchResponse_v11):  # type: ignore[misc]  # the client library ships no types
    """What a broker answers; the same values as of the library's class."""

    SCHEMA = _with(FetchResponse_v11.SCHEMA, _ToldTopics())


class Question(FetchRequest_v11):  # type: ignore[misc]
    """What a consumer asks; the same bytes as of the library's class."""

    RESPONSE_TYPE = Answer
    SCHEMA = _with(FetchRequest_v11.SCHEMA, _AskedTopics())


def quicken() -> None:
    """All consumers of this process ask like this from now on, whose brokers know version 11. Once is enough."""
    if Question not in FetchRequest._CLASSES:
        FetchRequest._CLASSES = (*FetchRequest._CLASSES, Question)
