"""Fetch sessions against a model of the broker's side (KIP-227): what it has in mind is what the consumer reads."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v4, FetchRequest_v11
from aiokafka.protocol.metadata import MetadataRequest
from hypothesis import given
from hypothesis import strategies as st

from app.runtime.fetch_sessions import Positions, Session, SessionClient

PLACES = st.tuples(st.sampled_from(["web", "inbox"]), st.integers(0, 2))
READ = st.dictionaries(PLACES, st.tuples(st.integers(0, 3), st.just(1_000)))
FAULTS = st.sampled_from(["none", "none", "none", "forgets", "has no room", "breaks off"])
NODE = 0


class Broken(Exception):
    """The connection."""


class KafkaModel:
    """One session, as a broker keeps it."""

    def __init__(self) -> None:
        self.fault = "none"
        self.held: Positions = {}
        self.named = 0
        self._id, self._epoch = 0, 0

    async def send(self, node_id: int, request: Any, **how: Any) -> Any:
        """Answers a fetch; other requests are given back."""
        if not isinstance(request, FetchRequest):
            return request
        fetch = request.build(FetchRequest_v11)
        if self.fault == "breaks off":
            raise Broken
        if self.fault == "forgets":
            self._id = 0
        named = {(topic, one[0]): (one[2], one[4]) for topic, partitions in fetch.topics for one in partitions}
        self.named = len(named)
        if fetch.session_epoch == 0:
            self._begin(named)
        elif (fetch.session_id, fetch.session_epoch) != (self._id, self._epoch + 1):
            return SimpleNamespace(API_VERSION=11, error_code=70, session_id=0)
        else:
            self._go_on(named, fetch.forgotten_topics_data)
        return SimpleNamespace(API_VERSION=11, error_code=0, session_id=self._id)

    def _begin(self, named: Positions) -> None:
        self._id, self._epoch = (0 if self.fault == "has no room" else self._id + 7), 0
        self.held = named

    def _go_on(self, named: Positions, gone: list[tuple[str, list[int]]]) -> None:
        self._epoch += 1
        left = {(topic, partition) for topic, partitions in gone for partition in partitions}
        assert left <= self.held.keys() - named.keys(), "names what it gives up, or gives up what it never named"
        self.held = {place: position for place, position in (self.held | named).items() if place not in left}


def fetch(read: Positions) -> FetchRequest:
    """As the client library asks, for these positions."""
    topics: dict[str, list[tuple[int, int, int]]] = {}
    for (topic, partition), position in read.items():
        topics.setdefault(topic, []).append((partition, *position))
    return FetchRequest(2, 1, 50_000_000, 0, list(topics.items()))


@given(st.lists(st.tuples(READ, FAULTS), max_size=12))
def test_an_answer_without_error_is_to_all_that_is_read(fetches: list[tuple[Positions, str]]) -> None:
    kafka = KafkaModel()
    client = SessionClient(kafka)

    async def live() -> None:
        refused = 0
        for read, fault in fetches:
            kafka.fault = fault
            try:
                answer = await client.send(NODE, fetch(read))
            except Broken:
                continue
            refused = refused + 1 if answer.error_code else 0
            assert refused < 2, "refused again"
            assert answer.error_code or kafka.held == read

    asyncio.run(live())


async def test_what_stands_still_is_not_named_again() -> None:
    kafka = KafkaModel()
    client = SessionClient(kafka)
    read = {("web", partition): (5, 1_000) for partition in range(50)}
    named = []
    for change in ({}, {}, {("web", 3): (6, 1_000)}, {("web", 50): (0, 1_000)}):
        read |= change
        await client.send(NODE, fetch(read))
        named.append(kafka.named)
    assert named == [50, 0, 1, 1]


async def test_brokers_have_a_session_each_and_other_requests_none() -> None:
    asked = MetadataRequest([])
    kafka = KafkaModel()
    client = SessionClient(kafka)
    assert await client.send(NODE, asked) is asked
    read: Positions = {("web", 0): (1, 1_000)}
    await client.send(NODE, fetch(read))
    await client.send(NODE + 1, fetch(read))
    assert kafka.named == 1


def test_an_older_broker_is_asked_for_everything() -> None:
    session = Session()
    whole = fetch({("web", 0): (1, 1_000)})
    session.ask(whole)
    session.hear(SimpleNamespace(API_VERSION=4))
    assert session.ask(whole).build(FetchRequest_v4).topics == [("web", [(0, 1, 1_000)])]


async def test_a_fetch_that_was_cancelled_ends_its_session() -> None:
    kafka, never = KafkaModel(), asyncio.Event()
    client = SessionClient(kafka)
    read: Positions = {("web", 0): (1, 1_000)}
    await client.send(NODE, fetch(read))

    async def hang(node_id: int, request: Any) -> Any:
        await never.wait()

    kafka.send, answering = hang, kafka.send  # type: ignore[method-assign, assignment]
    task = asyncio.ensure_future(client.send(NODE, fetch({})))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    kafka.send = answering  # type: ignore[method-assign]
    await client.send(NODE, fetch(read))
    assert kafka.held == read
