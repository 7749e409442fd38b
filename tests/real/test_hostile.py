"""A thousand requests that mean no good, against a collector that runs: it stays up and small, and good requests go through.

The thousand are made from one seed. Every connection gets an answer in the usual shape or is closed; what hangs is closed by us.
"""

import asyncio
import gzip
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.broker import Broker
from app.collector.protocols import ROUTES
from tests.ports import LOOPBACK
from tests.real.collecting import Collector, taken

SEED, REQUESTS, AT_ONCE = 20_261_122, 1_000, 20
PATIENCE_SECONDS = 20.0
MEMORY_KB_MAX = 600_000
"""With 64 MB of bodies held at most (app/collector/budget.py), decoded some four times, beside the process itself."""
ALLOWED = {200, 204, 400, 401, 404, 405, 408, 413, 431, 503}
PATHS = (*sorted(ROUTES), "/", "/metrics", "/v1/../../etc/passwd", "/%00", "/v1/events?token=%ff", "/" + "a" * 5_000)
METHODS = ("GET", "PUT", "DELETE", "TRACE", "CONNECT", "PATCH", "OPTIONS", "HEAD", "FLY", "POST\tPOST")
BOMB = gzip.compress(bytes(64 * 1024 * 1024), 9)
CHUNKED = "Transfer-Encoding: chunked\r\n"
KEYED = "Authorization: Basic ZGV2LXdlYjo=\r\n"

Made = Callable[[random.Random], bytes]


def framed(body: bytes, chance: random.Random, headers: str = KEYED, method: str = "POST", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"{method} {chance.choice(PATHS)} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {size}\r\n\r\n"
    return head.encode() + body


def deep(chance: random.Random) -> bytes:
    opening = chance.choice([b"[", b'{"a":', b'{"batch":[', b'[{"event":"x","identifiers":'])
    return framed(opening * chance.randrange(100, 100_000), chance)


def broken_text(chance: random.Random) -> bytes:
    text = chance.choice([b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"\\ud800", b"\x00", b"\xf8\x88\x80\x80\x80"])
    return framed(b'{"event":"' + text * chance.randrange(1, 500) + b'","identifiers":{"user_id":"1"}}', chance)


def wild_numbers(chance: random.Random) -> bytes:
    number = chance.choice([b"1e999", b"-1e999", b"NaN", b"9" * 5_000, b"0x10", b"1e-999", b"-0"])
    return framed(b'{"event":"x","occurred_at":' + number + b',"identifiers":{"user_id":' + number + b"}}", chance)


KINDS: dict[str, Made] = {
    "noise": lambda chance: chance.randbytes(chance.randrange(1, 3_000)),
    "noise in a body": lambda chance: framed(chance.randbytes(chance.randrange(1, 60_000)), chance),
    "bomb": lambda chance: framed(BOMB, chance),
    "torn gzip": lambda chance: framed(BOMB[: chance.randrange(3, 5_000)], chance),
    "deep": deep,
    "broken text": broken_text,
    "wild numbers": wild_numbers,
    "huge header": lambda chance: framed(b"{}", chance, f"X-Odd: {'h' * chance.randrange(5_000, 200_000)}\r\n"),
    "many headers": lambda chance: framed(b"{}", chance, "".join(f"X-{n}: y\r\n" for n in range(chance.randrange(50, 3_000)))),
    "wrong method": lambda chance: framed(b"", chance, method=chance.choice(METHODS)),
    "a lie about its length": lambda chance: framed(b"{}", chance, length=chance.choice([-1, 10**12, 5 * 1024 * 1024])),
    "both lengths": lambda chance: framed(b"{}", chance, CHUNKED),
    "broken chunks": lambda chance: framed(b"zz\r\n{}\r\n", chance, "Transfer-Encoding: chunked\r\n").replace(
        b"Content-Length", b"X-L"
    ),
    "broken key": lambda chance: framed(b"{}", chance, f"Authorization: Basic {chance.choice(['', '%', 'w' * 9_000])}\r\n"),
    "slow": lambda chance: framed(b"{", chance, length=1_000),
}


@pytest.fixture
def collector(broker: Broker, tmp_path: Path) -> Iterator[Collector]:
    with Collector.run(broker, tmp_path, f"hostile{time.time_ns()}") as started:
        yield started


async def answered(port: int, kind: str, request: bytes) -> int:
    """The status of the answer; 0 = the connection was closed without one."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(request)
        if kind == "slow":
            await asyncio.sleep(0.05)
            writer.write(b"x")
            return 0  # and is gone, without a word
        async with asyncio.timeout(PATIENCE_SECONDS):
            await writer.drain()
            if kind in ("noise", "a lie about its length", "torn gzip"):
                writer.write_eof()
            head = await reader.read(4_096)
        found = re.match(rb"HTTP/1\.[01] ([0-9]{3}) ", head)
        return int(found[1]) if found else 0
    except (ConnectionError, TimeoutError):
        return 0
    finally:
        writer.transport.abort()


async def attacked(collector: Collector) -> Counter[int]:
    """Statuses of the thousand; good requests beside them are taken."""
    chance = random.Random(SEED)
    kinds = [chance.choice(list(KINDS)) for _ in range(REQUESTS)]
    statuses: Counter[int] = Counter()
    for first in range(0, REQUESTS, AT_ONCE):
        bad = [answered(collector.port, kind, KINDS[kind](chance)) for kind in kinds[first : first + AT_ONCE]]
        event: dict[str, object] = {"event_id": f"good-{first}", "event": "seen", "identifiers": {"user_id": "42"}}
        results = await asyncio.gather(asyncio.to_thread(taken, collector.url, event), *bad)
        assert results[0]["accepted"] == 1
        statuses.update(results[1:])
    return statuses


def peak_kb(pid: int) -> int:
    """The most memory that a process had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
def test_a_thousand_hostile_requests_harm_nobody(collector: Collector) -> None:
    statuses = asyncio.run(attacked(collector))
    assert statuses.total() == REQUESTS
    assert set(statuses) <= {0, *ALLOWED}
    assert collector.process.poll() is None
    assert peak_kb(collector.process.pid) < MEMORY_KB_MAX
    assert "Traceback" not in collector.log.read_text()
