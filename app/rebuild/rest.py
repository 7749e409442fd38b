"""When the stage of a new generation has come to rest: what a shadow worker finished against the ends of its inbox.

What is finished is asked first. A record is finished when all that follows from it was appended; so if the ends that are read
later are finished earlier, nothing was under way in between. Asked some hundred times a second, hence not `/v1/status`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from faust.types import TP

from app.instance import INBOX, partitions, settings
from app.runtime.offsets import Offsets
from app.status import Own
from app.tokens import peer_token

POLL_SECONDS = 0.005
_own = msgspec.msgpack.Decoder(Own)


class Rest:
    """Asks one shadow worker, which has all partitions."""

    def __init__(self, http: aiohttp.ClientSession, url: str, offsets: Offsets) -> None:
        self._http, self._url, self._offsets = http, url, offsets

    async def reached(self) -> None:
        """Returns when all that was fed is handled, and what follows from it."""
        while True:
            if await self._is_reached():
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _is_reached(self) -> bool:
        async with self._http.get(f"{self._url}/_peer/status") as answer:
            if answer.status != 200:
                return False
            own = _own.decode(await answer.read())
        finished = {TP(topic, partition): offset or 0 for topic, partition, offset in own.finished if topic == INBOX}
        ends = await self._offsets.ends(TP(INBOX, partition) for partition in range(partitions))
        return all(end <= finished.get(tp, 0) for tp, end in ends.items())


@asynccontextmanager
async def resting(url: str) -> AsyncIterator[Rest]:
    """Connected."""
    offsets = Offsets(settings.bootstrap, settings.security)
    await offsets.start()
    try:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {peer_token(settings)}"}) as http:
            yield Rest(http, url, offsets)
    finally:
        await offsets.stop()
