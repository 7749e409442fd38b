"""What is asked of a worker, in numbers: requests by route and status, and how long answers took; no value of a request."""

import asyncio
from collections import Counter, defaultdict

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from app.latency import Histogram
from app.web import route_of


class Traffic:
    """Counts since the start of the process. Routes are those that are served, so nobody can make more of them."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        """By route and status."""
        self.seconds: defaultdict[str, Histogram] = defaultdict(Histogram)
        """By route; whatever was answered at all."""

    @property
    def middleware(self) -> Middleware:
        """Counts every request; the first of all gates."""

        @web.middleware
        async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
            clock = asyncio.get_running_loop().time
            began = clock()
            response = await handler(request)
            route = route_of(request)
            self.requests[route, str(response.status)] += 1
            self.seconds[route].observe(clock() - began)
            return response

        return counted
