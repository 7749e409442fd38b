"""Topic ids: what tells a topic from another of the same name that was deleted before.

A deleted and recreated topic begins at offset 0 again; were it known by its name, a cursor would drop its records as seen. The
client library stops at an older version of the metadata request, so the version that carries ids is spelled out here.
"""

import asyncio
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from io import BytesIO
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

KNOWN_SECONDS = 2.0
"""A broker hears of a topic that was just made a moment after its maker does."""
PAUSE_SECONDS = 0.2


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]  # the client library ships no types
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


_TEXT, _NUMBERS = CompactString("utf-8"), CompactArray(Int32)
_PARTITION = (
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", _NUMBERS),
    ("isr", _NUMBERS),
    ("offline_replicas", _NUMBERS),
    ("tags", TaggedFields),
)
_TOPIC = (
    ("error_code", Int16),
    ("topic", _TEXT),
    ("topic_id", _Uuid),
    ("is_internal", Boolean),
    ("partitions", CompactArray(*_PARTITION)),
    ("authorized_operations", Int32),
    ("tags", TaggedFields),
)
_BROKER = (("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), ("tags", TaggedFields))


class _Answer(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(*_BROKER)),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        ("topics", CompactArray(*_TOPIC)),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", _TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicIds(Request[_Question]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics: list[tuple[bytes, str, dict[int, bytes]]] = [(bytes(16), topic, {}) for topic in topics]

    def build(self, request_struct_class: type[_Question]) -> _Question:
        return request_struct_class(self._topics, False, False, False, {})


async def topic_ids(bootstrap: str, security: Mapping[str, Any], topics: Collection[str]) -> dict[str, str]:
    """The id of each topic as text; LookupError names the first one that the broker does not know within KNOWN_SECONDS."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap, **security)
    await client.bootstrap()
    try:
        return await _known(client, topics)
    finally:
        await client.close()


async def _known(client: AIOKafkaClient, topics: Collection[str]) -> dict[str, str]:
    end = time.monotonic() + KNOWN_SECONDS
    while True:
        answer = await asyncio.wait_for(client.send(client.get_random_node(), _TopicIds(topics)), 30)
        strange = [(topic, error) for error, topic, *_ in answer.topics if error]
        if not strange:
            return {topic: uuid.UUID(bytes=topic_id).hex for _, topic, topic_id, *_ in answer.topics}
        if time.monotonic() > end:
            topic, error = strange[0]
            raise LookupError(f"topic {topic} is not there (Kafka error {error}); `onetrail topics` creates it")
        await asyncio.sleep(PAUSE_SECONDS)
