"""Fetch sessions (KIP-227): a broker keeps in mind what is read, so a fetch names what changed and an answer what has news.

The client library names every partition in every fetch, and so does the answer. While there is work there are some hundred
fetches a second, and reading through the answers took a fifth of a core, nearly all of it about partitions without news.
"""

from typing import Any

from aiokafka.protocol.fetch import FetchRequest

SINCE_VERSION = 7
"""Of the request."""
Positions = dict[tuple[str, int], tuple[int, int]]
"""By topic and partition: offset and most bytes."""


class SessionFetch(FetchRequest):  # type: ignore[misc]  # the client library ships no types
    """A fetch that is part of a session: `topics` are those that are new there or went on, `gone` are read no more."""

    def __init__(self, whole: FetchRequest, topics: list[Any], gone: list[Any], session: int, epoch: int) -> None:
        super().__init__(whole._max_wait_ms, whole._min_bytes, whole._max_bytes, whole._isolation_level, topics, whole._rack_id)
        self._whole, self._gone, self._session, self._epoch = whole, gone, session, epoch

    def build(self, request_struct_class: Any) -> Any:
        if request_struct_class.API_VERSION < SINCE_VERSION:
            return self._whole.build(request_struct_class)
        request = super().build(request_struct_class)
        request.session_id, request.session_epoch, request.forgotten_topics_data = self._session, self._epoch, self._gone
        return request


class Session:
    """What one broker has in mind of us; there is one fetch under way at a time."""

    def __init__(self) -> None:
        self._id, self._epoch = 0, 0
        self._known: Positions = {}

    def ask(self, whole: FetchRequest) -> FetchRequest:
        """What to send in place of a fetch that names everything; of a new session, everything."""
        wanted = {(topic, p): (offset, most) for topic, partitions in whole.topics for p, offset, most in partitions}
        known = self._known if self._epoch else {}
        topics, gone = dict[str, list[tuple[int, int, int]]](), dict[str, list[int]]()
        for (topic, partition), position in wanted.items():
            if known.get((topic, partition)) != position:
                topics.setdefault(topic, []).append((partition, *position))
        for topic, partition in known.keys() - wanted.keys():
            gone.setdefault(topic, []).append(partition)
        self._known = wanted
        return SessionFetch(whole, list(topics.items()), list(gone.items()), self._id, self._epoch)

    def hear(self, answer: Any) -> None:
        """The broker goes on with the session; or has none for us, or has forgotten it: then the next fetch names everything."""
        if answer.API_VERSION < SINCE_VERSION or answer.error_code or not answer.session_id:
            self.forget()
        else:
            self._id, self._epoch = answer.session_id, self._epoch + 1

    def forget(self) -> None:
        """Whatever became of the last fetch, the next one begins a session, and ends this one."""
        self._epoch = 0


class SessionClient:
    """The client of a fetcher, with a session at each broker."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._sessions: dict[int, Session] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: int, request: Any, **how: Any) -> Any:
        """As the client's own."""
        if not isinstance(request, FetchRequest):
            return await self._client.send(node_id, request, **how)
        session = self._sessions.setdefault(node_id, Session())
        try:
            answer = await self._client.send(node_id, session.ask(request), **how)
        except BaseException:
            session.forget()
            raise
        session.hear(answer)
        return answer
