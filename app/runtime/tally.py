"""A number kept beside a table: the sum over some of its rows, exact at any time, counted anew when a partition goes live.

It is not stored: a stored number would have to be written with rows it does not belong to, in every batch.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Generic, Protocol, TypeVar

from app.runtime.overlay import Codec
from app.runtime.rows import Partition, scan_all

R = TypeVar("R")


N = TypeVar("N", contravariant=True)


class Follower(Protocol[N]):
    """What is told of a table's partitions when they go live, and of every batch."""

    async def begin(self, number: int, partition: Partition) -> None: ...

    def count(self, number: int, replaced: Iterable[tuple[bytes, N | None, N | None]]) -> None: ...


class Followers(Generic[R]):
    """Several, told of everything one after the other."""

    def __init__(self, *followers: Follower[R]) -> None:
        self._followers = followers

    async def begin(self, number: int, partition: Partition) -> None:
        """See Follower."""
        for follower in self._followers:
            await follower.begin(number, partition)

    def count(self, number: int, replaced: Iterable[tuple[bytes, R | None, R | None]]) -> None:
        """See Follower."""
        rows = list(replaced)
        for follower in self._followers:
            follower.count(number, rows)


async def chunks(partition: Partition, prefix: bytes) -> AsyncIterator[list[tuple[bytes, bytes]]]:
    """All living rows of a prefix; others run between two chunks."""
    for rows in scan_all(partition, prefix):
        yield rows
        await asyncio.sleep(0)


class Tally(Generic[R]):
    """The sum of `weight` over the rows whose key begins with `prefix`, by partition."""

    def __init__(self, codec: Codec[R], prefix: bytes, weight: Callable[[R], int]) -> None:
        self._codec, self._prefix, self._weight = codec, prefix, weight
        self._sums: dict[int, int] = {}

    async def begin(self, number: int, partition: Partition) -> None:
        """Counts a partition whose rows nobody changes meanwhile."""
        total = 0
        async for rows in chunks(partition, self._prefix):
            total += sum(self._weight(self._codec.decode(key, body)) for key, body in rows)
        self._sums[number] = total

    def count(self, number: int, replaced: Iterable[tuple[bytes, R | None, R | None]]) -> None:
        """Follows a batch: (key, row before, row after)."""
        change = 0
        for key, before, after in replaced:
            if key.startswith(self._prefix):
                change += (self._weight(after) if after is not None else 0) - (self._weight(before) if before is not None else 0)
        self._sums[number] = self._sums.get(number, 0) + change

    def total(self, partitions: Iterable[int]) -> int:
        """The sum over some partitions."""
        return sum(self._sums.get(number, 0) for number in partitions)
