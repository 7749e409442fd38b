"""The load on a collector: connections that post one body after the other, each when the one before is answered.

The client is as thin as it can be, for it shares a core with the broker: requests are bytes that were made before.
"""

import asyncio
import json
import time
from collections.abc import Sequence

from tests.benchmarks.behaviour import steady
from tests.real.conftest import LOOPBACK

HEAD = "POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic ZGV2LXdlYjo=\r\nContent-Type: application/json\r\n"
KNOWN = 1_000


def requests(count: int, batch: int) -> list[bytes]:
    """Different requests, each with so many events, one a line."""
    events = steady(count * batch, KNOWN)
    bodies = [b"\n".join(events[first : first + batch]) for first in range(0, len(events), batch)]
    return [f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]


async def posted(port: int, connections: int, given: Sequence[bytes], seconds: float) -> tuple[int, float]:
    """How many requests were answered with 200, and in how many seconds. Any other answer is an AssertionError."""
    end = time.perf_counter() + seconds
    begun = time.perf_counter()
    parts = [given[number::connections] for number in range(connections)]
    counts = await asyncio.gather(*(_connection(port, part, end) for part in parts))
    return sum(counts), time.perf_counter() - begun


async def _connection(port: int, given: Sequence[bytes], end: float) -> int:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    count = 0
    while time.perf_counter() < end:
        writer.write(given[count % len(given)])
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        assert head.startswith(b"HTTP/1.1 200"), (head, body)
        assert json.loads(body)["success"] is True
        count += 1
    writer.close()
    return count


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length"))
