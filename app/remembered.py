"""A document that is dear to make and may be some seconds old."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.errors import KafkaError

from app.routing import NotReady

ANSWER_SECONDS_MAX = 5.0


class Remembered:
    """Makes a document at most once in `seconds`, however many ask, and one at a time."""

    def __init__(self, make: Callable[[], Awaitable[dict[str, Any]]], seconds: float) -> None:
        self._make, self._seconds = make, seconds
        self._made: tuple[float, dict[str, Any]] | None = None
        self._making = asyncio.Lock()

    async def document(self) -> dict[str, Any]:
        """The document. NotReady: Kafka does not answer."""
        async with self._making:
            now = asyncio.get_running_loop().time()
            if self._made is None or now - self._made[0] > self._seconds:
                self._made = (now, await self._fresh())
            return self._made[1]

    async def _fresh(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await self._make()
        except (KafkaError, TimeoutError) as error:
            raise NotReady(f"Kafka does not answer: {error!r}") from None
