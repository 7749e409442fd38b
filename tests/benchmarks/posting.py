"""The load on a collector: connections that post one body after the other, each when the one before is answered.

The client is as thin as it can be, for it shares a core with the broker: requests are bytes that were made before.
"""

import asyncio
import json
import time
from collections.abc import Sequence

from tests.benchmarks.asking import length
from tests.benchmarks.behaviour import steady
from tests.ports import LOOPBACK

HEAD = "POST /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic ZGV2LXdlYjo=\r\nContent-Type: application/json\r\n"
KNOWN = 1_000


def requests(count: int, batch: int) -> list[bytes]:
    """Different requests, each with so many events, one a line."""
    events = steady(count * batch, KNOWN)
    bodies = [b"\n".join(events[first : first + batch]) for first in range(0, len(events), batch)]
    return [request(body) for body in bodies]


def request(body: bytes) -> bytes:
    """As it goes over the wire."""
    return f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Poster:
    """Posts single events to a collector over as many connections as are busy at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, event: bytes) -> None:
        """Returns when it is acknowledged. Any answer but 200 is an AssertionError."""
        reader, writer = await self._connection()
        writer.write(request(event))
        await _answered(reader)
        self._free.append((reader, writer))

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof():  # the collector ends what was not used for long
                return reader, writer
            writer.close()
        return await asyncio.open_connection(LOOPBACK, self._port)

    def close(self) -> None:
        """Ends its connections."""
        for _, writer in self._free:
            writer.close()


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
        await _answered(reader)
        count += 1
    writer.close()
    return count


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(length(head))
    assert head.startswith(b"HTTP/1.1 200"), (head, body)
    assert json.loads(body)["success"] is True
