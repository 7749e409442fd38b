"""How often somebody may ask: a bucket of tokens each, filled at the caller's rate. Pure in time: the clock is an argument.

The token bucket of traffic engineering, with debt: whoever has anything left passes, and what he takes may be more than he has
(a batch of events), which later requests pay back. So over a long time nobody gets more than his rate, and no batch is too large.
"""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.access import caller_of
from app.web import Refusal

BURST_SECONDS = 2.0
"""A bucket holds what comes in so long."""


class Bucket:
    """What may still pass. `rate` a second, above 0."""

    __slots__ = ("_at", "_full", "_left", "_rate")

    def __init__(self, rate: float, now: float) -> None:
        self._rate, self._full = rate, max(1.0, rate * BURST_SECONDS)
        self._left, self._at = self._full, now

    def passes(self, now: float, count: int = 1) -> bool:
        """Whether so many pass now; then they are taken."""
        self._left = min(self._full, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= count
        return True


class Rates:
    """The buckets of a process, by name: callers or channels, of which there are few.

    `rate` is of those without one of their own, 0 = any number; `unit` is what is counted.
    """

    def __init__(self, rate: float, clock: Callable[[], float], unit: str = "requests") -> None:
        self._rate, self._clock, self._unit = rate, clock, unit
        self._buckets: dict[tuple[str, float], Bucket] = {}
        self.refused = 0

    def take(self, name: str, rate: float | None = None, count: int = 1) -> None:
        """Counts. Raises `Refusal` (rate_limited) where it is too much."""
        wanted = self._rate if rate is None else rate
        if wanted == 0:
            return
        now = self._clock()
        bucket = self._buckets.get((name, wanted))
        if bucket is None:
            bucket = self._buckets[name, wanted] = Bucket(wanted, now)
        if not bucket.passes(now, count):
            self.refused += 1
            raise Refusal("rate_limited", f"at most {wanted:g} {self._unit} a second; try again in a moment")


def rated(rates: Rates) -> Middleware:
    """The middleware that counts the requests of each caller; workers among themselves are not counted."""

    @web.middleware
    async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
        caller = caller_of(request)
        if caller is not None and "peer" not in caller.scopes:
            rates.take(caller.name, caller.rate)
        return await handler(request)

    return counted
