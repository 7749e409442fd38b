"""Whether this worker may still speak for its partitions: a lease that its group renews.

A worker that was stopped, or cut off from Kafka, for longer than its session has lost its partitions without knowing it, and
until its next heartbeat is refused its rows look like anybody's. So rows are read only while a heartbeat that was *sent* less
than a session ago was accepted: up to there the group gives the partitions to nobody else. The client library keeps its own
heartbeats to itself; ours are beside them, and change nothing in it.
"""

import time
from collections.abc import Callable
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.protocol.group import HeartbeatRequest

RENEW_SECONDS = 1.0
RETRY_SECONDS = 0.1
PART_OF_SESSION = 0.9
"""What a lease lasts; the rest is for clocks that do not run alike."""
_NOBODY = ""
"""The member id of who has not joined yet."""


class Lease:
    """Lasts for most of a session from the moment that the accepted heartbeat was sent."""

    def __init__(self, session_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lasts, self._clock = session_seconds * PART_OF_SESSION, clock
        self._sent: float | None = None

    def holds(self) -> bool:
        """Whether the group still counts this worker in."""
        return self._sent is not None and self._clock() - self._sent < self._lasts

    async def renew(self, coordinator: Any) -> None:
        """Sends a heartbeat by the client library's coordinator, in its own loop; one that fails renews nothing."""
        if coordinator.member_id == _NOBODY:
            return
        sent = self._clock()
        request = HeartbeatRequest(coordinator.group_id, coordinator.generation, coordinator.member_id)
        try:
            answer = await coordinator._send_req(request)
        except KafkaError:
            return
        if answer.error_code == 0:
            self._sent = sent
