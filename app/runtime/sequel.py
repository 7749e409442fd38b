"""What follows from records is asked for first.

While there is work Kafka gathers before it answers a fetch (app/runtime/patience.py), and a client has one fetch under way at a
broker. What comes from the topics of others is made into messages for our inboxes within a few milliseconds, when the next fetch
is under way already; it would gather as long again before it brought them. So after records of others the next one at a broker
with inboxes asks for these alone, and is answered at the first byte; the one after that gathers for all. An event waits once
instead of twice.
"""

from collections.abc import Callable
from typing import Any

from aiokafka.protocol.fetch import FetchRequest

from app.runtime.patience import BUSY_MS

FIRST_BYTE = 1


class Sequel:
    """Asks in a fetcher's place; `is_inbox` and `is_others` tell by the name of a topic what it is, some are neither."""

    def __init__(self, fetcher: Any, is_inbox: Callable[[str], bool], is_others: Callable[[str], bool]) -> None:
        self._fetcher, self._is_inbox, self._is_others = fetcher, is_inbox, is_others
        self._ask, self._hear = fetcher._get_actions_per_node, fetcher._proc_fetch_request
        fetcher._get_actions_per_node, fetcher._proc_fetch_request = self._asked, self._heard
        self._follows = False

    def _asked(self, assignment: Any) -> tuple[Any, ...]:
        requests, *others = self._ask(assignment)
        if not self._follows:
            return requests, *others
        narrowed = [(node, self._narrowed(request)) for node, request in requests]
        self._follows = narrowed == requests  # none of these brokers has inboxes of ours: another is asked later
        return narrowed, *others

    async def _heard(self, assignment: Any, node: int, request: FetchRequest) -> Any:
        has_news = await self._hear(assignment, node, request)
        if has_news:
            asked = {topic for topic, _ in request.topics}  # what is kept of another topic came earlier
            self._follows |= any(tp.topic in asked and self._is_others(tp.topic) for tp in self._fetcher._records)
        return has_news

    def _narrowed(self, request: FetchRequest) -> FetchRequest:
        """The inboxes of a fetch, if it asks for any."""
        inboxes = [(topic, partitions) for topic, partitions in request.topics if self._is_inbox(topic)]
        if not inboxes:
            return request
        fetcher = self._fetcher
        bounds = BUSY_MS, FIRST_BYTE, fetcher._fetch_max_bytes, fetcher._isolation_level
        return FetchRequest(*bounds, inboxes, rack_id=fetcher._client_rack or "")
