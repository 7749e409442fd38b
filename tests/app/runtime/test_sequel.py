"""After records of others the next fetch asks for the inboxes alone, once; whatever else comes, fetches ask for everything."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchRequest
from faust.types import TP

from app.runtime.patience import BUSY_MS
from app.runtime.sequel import FIRST_BYTE, Sequel

DOOR, INBOX, CHANGELOG = "behaviour.web", "people.inbox", "people-changelog"
ALL = (DOOR, INBOX, CHANGELOG)


class Fetcher(SimpleNamespace):
    """Asks for all topics but `kept`, and gets records of `coming`."""

    def __init__(self) -> None:
        super().__init__(_records={}, _fetch_max_bytes=7, _isolation_level=0, _client_rack=None)
        self.coming: Sequence[str] = ()
        self.names: Sequence[str] = ALL
        self.node = 1

    def _get_actions_per_node(self, assignment: object) -> tuple[Any, ...]:
        topics = [(name, [(0, 5, 100)]) for name in self.names]
        return [(self.node, FetchRequest(10, 65_536, 7, 0, topics, rack_id=""))], {}, 0.2, False, []

    async def _proc_fetch_request(self, assignment: object, node: int, request: FetchRequest) -> bool:
        self._records |= {TP(topic, 0): "records" for topic in self.coming}
        return bool(self.coming)


class Asking:
    """A fetcher with its sequel: fetch after fetch, each consumed before the next."""

    def __init__(self) -> None:
        self.fetcher = Fetcher()
        self.sequel = Sequel(self.fetcher, lambda topic: topic == INBOX, lambda topic: topic == DOOR)

    def fetch(self, *coming: str) -> FetchRequest:
        """The next fetch, which is answered with records of these topics."""
        self.fetcher.coming = coming
        ((node, request),), *rest = self.fetcher._get_actions_per_node(None)
        assert rest == [{}, 0.2, False, []]
        asyncio.run(self.fetcher._proc_fetch_request(None, node, request))
        return request


@pytest.fixture
def asking() -> Asking:
    return Asking()


def asked(request: FetchRequest) -> tuple[str, ...]:
    return tuple(topic for topic, _ in request.topics)


def test_what_follows_from_records_of_others_is_asked_for_first_and_once(asking: Asking) -> None:
    assert asked(asking.fetch(DOOR)) == ALL
    asking.fetcher._records.clear()
    narrowed = asking.fetch()
    assert asked(narrowed) == (INBOX,)
    assert (narrowed._max_wait_ms, narrowed._min_bytes) == (BUSY_MS, FIRST_BYTE)
    assert narrowed.topics == [(INBOX, [(0, 5, 100)])]
    assert asked(asking.fetch()) == ALL


@pytest.mark.parametrize("coming", [(), (INBOX,), (CHANGELOG,), (INBOX, CHANGELOG)])
def test_of_nothing_else_anything_follows(asking: Asking, coming: tuple[str, ...]) -> None:
    asking.fetch(*coming)
    assert asked(asking.fetch()) == ALL


def test_records_that_were_kept_from_an_earlier_fetch_are_no_news(asking: Asking) -> None:
    asking.fetch(DOOR)
    asking.fetch()
    asking.fetcher.names = (INBOX, CHANGELOG)  # the door is full
    asking.fetch(INBOX)
    assert asked(asking.fetch()) == (INBOX, CHANGELOG)


def test_a_broker_without_inboxes_is_asked_as_ever_and_the_one_that_has_them_first(asking: Asking) -> None:
    asking.fetcher.names = (DOOR,)
    asking.fetch(DOOR)
    assert asked(asking.fetch()) == (DOOR,)
    asking.fetcher.node, asking.fetcher.names = 2, (INBOX, CHANGELOG)
    assert asked(asking.fetch()) == (INBOX,)
    assert asked(asking.fetch()) == (INBOX, CHANGELOG)


def test_where_no_inbox_is_to_be_asked_for_the_fetch_is_as_it_was(asking: Asking) -> None:
    asking.fetcher.names = (DOOR, CHANGELOG)
    first, second = asking.fetch(DOOR), asking.fetch()
    assert asked(second) == asked(first) == (DOOR, CHANGELOG)
    assert (second._max_wait_ms, second._min_bytes) == (10, 65_536)
