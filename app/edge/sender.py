"""Sends what waits to the collector, in order, one batch at a time, until it is acknowledged.

200: it has arrived, and the verdicts on single events are the centre's to keep. 400 and 413 are about some event of the batch,
which is found by halves and set aside. 401 and the like say that the edge itself is set up wrongly. Anything else, silence
too, means later: after a pause that doubles, or that the collector asks for.
"""

import gzip
from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import aiohttp
import msgspec

from app.edge.spool import READ, Spool, Telling
from models.display import rfc3339
from models.edge import Summary, encoded
from models.foreign import part

BATCH_EVENTS, BATCH_BYTES = 500, 1_000_000
ANSWER_SECONDS_MAX = 30.0
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.5, 30.0
LATER = frozenset({408, 425, 429})
WRONG_BATCH = frozenset({400, 413, 422})


class Misplaced(Exception):
    """The collector knows neither this key nor this address; one line. Nothing that waits is lost."""


class Later(Exception):
    """The centre cannot take it now; `seconds` is what it asks for, if it does."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


class _Verdicts(msgspec.Struct):
    rejected: list[dict[str, Any]] = []


_VERDICTS = msgspec.json.Decoder(_Verdicts)


class Sender:
    """Sends for one channel to the collector at `url`. `sent` events have arrived, in `bytes` of bodies; `refused` by reason."""

    def __init__(self, http: aiohttp.ClientSession, url: str, write_key: str, name: str, spool: Spool) -> None:
        self._http, self._url, self._name, self._spool = http, url.rstrip("/"), name, spool
        self._headers = {"Authorization": aiohttp.encode_basic_auth(write_key, "")}
        self.sent, self.bytes = 0, 0
        self.refused: Counter[str] = Counter()

    async def send(self) -> bool:
        """Sends the next batch; False when nothing waits. Raises `Later` and `Misplaced`."""
        batch = self._spool.next(BATCH_EVENTS, BATCH_BYTES)
        if batch:
            await self._deliver(batch)
        return bool(batch)

    async def tell(self, telling: Telling) -> None:
        """Tells what was held back. Raises `Later` and `Misplaced`."""
        counts = dict(telling.counts)
        since, until = rfc3339(telling.since_ms, UTC), rfc3339(telling.until_ms, UTC)
        read = counts.pop(READ, 0)
        summary = Summary(id=telling.id, edge=self._name, since=since, until=until, read=read, filtered=counts)
        status, _ = await self._post("/v1/filtered", encoded(summary))
        if status != 200:
            raise Later(f"the collector answers {status} to what was held back")
        self._spool.told(telling.number)

    async def _deliver(self, batch: Sequence[tuple[int, bytes]]) -> None:
        status, answer = await self._post("/v1/events", b"[" + b",".join(event for _, event in batch) + b"]")
        if status == 200:
            rejected = part(_VERDICTS, answer, _Verdicts()).rejected
            self.refused.update(str(one.get("reason")) for one in rejected)
            self._spool.sent([number for number, _ in batch])
            self.sent += len(batch)
        elif len(batch) == 1:
            number, event = batch[0]
            self._spool.set_aside(number, event, f"{status}: {answer[:500].decode(errors='replace')}")
            self.refused[f"answer {status}"] += 1
        else:
            await self._deliver(batch[: len(batch) // 2])
            await self._deliver(batch[len(batch) // 2 :])

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of an answer that is about what was posted."""
        packed = gzip.compress(body, compresslevel=6, mtime=0)
        try:
            async with self._http.post(self._url + path, data=packed, headers=self._headers, allow_redirects=False) as answer:
                status, text, wait = answer.status, await answer.read(), answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Later(f"no answer from {self._url}: {str(error) or type(error).__name__}") from error
        self.bytes += len(packed)
        if status == 200 or status in WRONG_BATCH:
            return status, text
        if status >= 500 or status in LATER:
            raise Later(f"{self._url} answers {status}", float(wait) if wait.isdigit() else None)
        told = text[:200].decode(errors="replace")
        raise Misplaced(f"{self._url}{path} answers {status}: {told}; is this a collector, and the key one of its?")
