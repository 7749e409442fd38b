"""The load of lookups: one connection that asks one thing after the other, and how long each answer took.

The client is as thin as it can be, for what it takes itself is in every figure.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple, Self

from tests.ports import LOOPBACK
from tests.real.system import READ

WARM = 50
"""Answers that are not counted: the first one of a connection authenticates, opens and imports."""


class Waited(NamedTuple):
    """Milliseconds at three quantiles, and of how many."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    answers: int

    @classmethod
    def of(cls, waited: Sequence[float]) -> Self:
        """From milliseconds in any order."""
        ordered = sorted(waited)
        p50, p95, p99 = (ordered[len(ordered) * part // 100] for part in (50, 95, 99))
        return cls(p50, p95, p99, len(ordered))


async def asked(port: int, paths: Sequence[str], seconds: float) -> Waited:
    """Asks for the paths in turn for so long. Any answer but 200 is an AssertionError."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    waited: list[float] = []
    end = float("inf")
    for number, request in enumerate(cycle([_request(path) for path in paths]), -WARM):
        begun = time.perf_counter()
        if number == 0:
            end = begun + seconds
        if begun > end:
            break
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(length(head))
        if number >= 0:
            waited.append(1e3 * (time.perf_counter() - begun))
        assert head.startswith(b"HTTP/1.1 200"), (request, head)
    writer.close()
    return Waited.of(waited)


def _request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {READ}\r\n\r\n".encode()


def length(head: bytes) -> int:
    """Of the body, as the head of an answer says."""
    lines = head.lower().split(b"\r\n")
    return next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length"))
