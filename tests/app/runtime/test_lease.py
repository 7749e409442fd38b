"""Who may speak for its partitions: whoever the group counted in less than a session ago."""

from typing import Any

import pytest
from aiokafka.errors import GroupCoordinatorNotAvailableError, RequestTimedOutError

from app.runtime.lease import Lease

SESSION = 10.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Coordinator:
    """A group's coordinator that answers with an error code (0 = accepted) or fails; each answer takes `seconds`."""

    def __init__(self, clock: Clock, answer: int | Exception = 0, seconds: float = 0.0, member_id: str = "me") -> None:
        self._clock, self._answer, self._seconds = clock, answer, seconds
        self.group_id, self.generation, self.member_id = "onetrail", 3, member_id

    async def _send_req(self, request: Any) -> Any:
        self._clock.now += self._seconds
        if isinstance(self._answer, Exception):
            raise self._answer
        return type("Answer", (), {"error_code": self._answer})


async def test_nobody_holds_a_lease_that_was_never_given() -> None:
    assert not Lease(SESSION, Clock()).holds()


async def test_a_lease_ends_before_the_session_does() -> None:
    clock = Clock()
    lease = Lease(SESSION, clock)
    await lease.renew(Coordinator(clock))
    clock.now += 8.9
    assert lease.holds()
    clock.now += 0.2
    assert not lease.holds()


async def test_a_lease_counts_from_when_it_was_asked_for() -> None:
    clock = Clock()
    lease = Lease(SESSION, clock)
    await lease.renew(Coordinator(clock, seconds=9.5))
    assert not lease.holds()


@pytest.mark.parametrize("answer", [22, 25, 27, GroupCoordinatorNotAvailableError(), RequestTimedOutError()])
async def test_what_is_not_accepted_renews_nothing(answer: int | Exception) -> None:
    clock = Clock()
    lease = Lease(SESSION, clock)
    await lease.renew(Coordinator(clock))
    clock.now += 5
    await lease.renew(Coordinator(clock, answer))
    assert lease.holds()
    clock.now += 5
    assert not lease.holds()


async def test_who_has_not_joined_asks_for_nothing() -> None:
    clock = Clock()
    lease = Lease(SESSION, clock)
    await lease.renew(Coordinator(clock, member_id=""))
    assert not lease.holds()
