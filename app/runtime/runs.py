"""Runs: a fetch is one message, and what is committed is what stages finished.

Faust pays 70 us for every message that it hands to an agent, on raw topics, inboxes and changelogs alike. One message per
partition and fetch makes that cost vanish. Faust's acknowledgements are not looked at: a stage calls `finish`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP, ConsumerMessage
from mode.services import WaitResults

from app.runtime.fetches import quicken
from app.runtime.handover import Rest, at_once
from app.runtime.lease import Lease
from app.runtime.patience import Patience
from app.runtime.sequel import Sequel

SEEK_SECONDS = 0.05
"""The pause while partitions are being sought."""


class Run(ConsumerMessage):
    """All records of one partition that one fetch returned; `size` in bytes of values."""

    __slots__ = ("records", "size")

    records: list[Any]
    size: int


class Thread(driver.AIOKafkaConsumerThread):
    """Where the client library's consumer lives."""

    async def on_start(self) -> None:
        await super().on_start()
        app: Any = self.app  # ours, which Faust's types do not know

        @cache
        def is_others(topic: str) -> bool:
            return topic not in app.applied and topic not in app.tables.changelog_topics

        Sequel(self._ensure_consumer()._fetcher, app.applied.__contains__, is_others)

    async def getmany(self, active_partitions: Any, timeout: float) -> Any:
        """Upstream puts the call into a queue, whose two workers make three tasks and three timers of it."""
        consumer = self._ensure_consumer()
        fetch = self._fetch_records(consumer, active_partitions, timeout=timeout, max_records=consumer._max_poll_records)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(fetch, self.thread_loop))


class Consumer(driver.Consumer):
    """Yields runs, commits what is finished."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        quicken()
        self.finished: dict[TP, int] = {}
        self._sought: dict[TP, tuple[int, int]] = {}
        self._begun: dict[TP, int | None] = {}
        self._again: dict[TP, int | None] = {}
        self._pause = 0.0
        self._patience = Patience(lambda: bool(self._unacked_messages or self._buffered_partitions))
        self.lease = Lease(self.app.conf.broker_session_timeout)

    def _new_consumer_thread(self) -> Thread:
        return Thread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Run]]:
        if self._pause:
            await asyncio.sleep(self._pause)
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if not records or self.should_stop:
            return
        if not self.flow_active:
            await self._put_back(records)
            return
        self._pause = 0.0
        self._patience.lose(self._fetcher)
        for tp, run in records.items():
            if not self.stands(generation):
                return
            wanted = active is None or tp in active or tp in self._buffered_partitions
            if not wanted:
                # Changelogs are sought before they are read, and what was fetched before must not undo that.
                await self._back({TP(*tp): run[0].offset} if not self._is_changelog_tp(tp) else {})
            elif await self._follows(TP(*tp), run[0].offset, generation):
                yield tp, self._run(TP(*tp), run)

    async def wait_first(self, *coros: Any, timeout: Any = None) -> WaitResults:
        """Of these the first that is done; upstream asks for each run that it hands over, which is done at once."""
        first, *others = coros
        if not asyncio.iscoroutine(first):  # an event, to be waited for
            return await super().wait_first(*coros, timeout=timeout)
        try:
            done = at_once(first)
        except BaseException:
            _close(others)
            raise
        if isinstance(done, Rest):
            return await super().wait_first(done.end(), *others, timeout=timeout)
        _close(others)
        return WaitResults([first], [done], False)

    async def sleep(self, n: Any) -> None:
        """Upstream makes a timer of it, also where it only lets others run."""
        if n:
            await super().sleep(n)
        else:
            await asyncio.sleep(0)

    @property
    def _fetcher(self) -> Any:
        return self._thread._ensure_consumer()._fetcher

    async def _follows(self, tp: TP, first: int, generation: int | None) -> bool:
        """Whether a run may be handed out: the first one of an assignment must begin where reading was to begin.

        Partitions are resumed before they are sought to what is committed, so what was fetched until then, behind records that
        nobody got, would come first: its numbers would be seen, and those before it dropped as seen when they come after all.
        Such a gap is read again once; what is missing then is missing in Kafka, and lanes know what to make of that.
        """
        if self._is_changelog_tp(tp) or self._begun.get(tp) == generation:
            return True
        known, expected = self._sought.get(tp, (None, 0))
        if known != generation:  # the seek is still to come, or is under way and has passed this partition
            self._pause = SEEK_SECONDS
            await self._back({tp: first})
            return False
        if first > expected and self._again.get(tp) != generation:
            self._again[tp] = generation
            await self._back({tp: expected})
            return False
        self._begun[tp] = generation
        return True

    def _run(self, tp: TP, records: list[Any]) -> Run:
        last = records[-1]
        run = Run(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            0,
            None,
            None,
            b"",
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        run.records = records
        run.size = sum(len(r.value) for r in records if r.value is not None)
        return run

    def current(self, run: Run) -> bool:
        """Whether a run belongs to the present assignment; one that does not is fetched again by its owner."""
        return self.stands(run.generation_id)

    def stands(self, generation: int | None) -> bool:
        """Whether the assignment of a generation still stands."""
        return self.flow_active and generation == self.app.consumer_generation_id

    def begin(self, run: Run) -> None:
        """A stage has begun with a run: a rebalance waits until it is finished."""
        self._unacked_messages.add(run)

    def finish(self, run: Run) -> None:
        """A stage made durable everything that follows from a run."""
        if run.generation_id == self.app.consumer_generation_id:
            self.finished[run.tp] = run.offset + 1
        run.refcount = 0
        run.acked = True
        self._unacked_messages.discard(run)
        if self._waiting_for_ack is not None and not self._waiting_for_ack.done():
            self._waiting_for_ack.set_result(None)

    def on_buffer_drop(self, tp: TP) -> None:
        """A lane has room again: what waits for it is handed out now. Upstream looks when something else comes, or after 1 s."""
        was_full = tp in self._buffered_partitions
        super().on_buffer_drop(tp)
        if was_full:
            self._thread.thread_loop.call_soon_threadsafe(_look_again, self._fetcher)

    def position_of(self, tp: TP) -> int | None:
        """The next offset of a partition that is not finished yet, as far as is known here."""
        return self.finished.get(tp, self._committed_offset[tp])

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Goes back, also where nothing was committed yet; upstream leaves such a partition where reading had got to."""
        offsets = await super().seek_to_committed()
        fresh = [tp for tp, offset in offsets.items() if (offset or 0) <= 0 and not self._is_changelog_tp(tp)]
        if fresh:
            await self._thread.seek_to_beginning(*fresh)
        await self._note({TP(*tp): offset for tp, offset in offsets.items() if not self._is_changelog_tp(tp)})
        return offsets

    async def _note(self, committed: Mapping[TP, int | None]) -> None:
        """Remembers where reading begins, and tells of what was deleted before anybody read it.

        Where nothing was ever committed it begins where the topic does; committing that says that all from there on is ours.
        """
        app: Any = self.app  # ours, which Faust's types do not know
        generation = app.consumer_generation_id
        self._sought = {tp: (generation, offset or 0) for tp, offset in committed.items()}
        try:
            begins = await app.offsets.begins(committed)
        except KafkaError as error:  # lanes look again, when the first records are there
            self.log.warning("where topics begin is not known: %r", error)
            return
        for tp, offset in committed.items():
            unread = app.unread(tp, offset)
            if unread is not None and begins[tp] > unread:
                await app.expired(tp, unread, begins[tp] - unread)
            if offset is None or begins[tp] > offset:
                self._sought[tp] = generation, begins[tp]
                self.finished[tp] = begins[tp]

    def sought(self, tp: TP, generation: int | None) -> int | None:
        """Where reading of a partition began in this assignment; None where that is not known."""
        known, offset = self._sought.get(tp, (None, None))
        return offset if known == generation else None

    async def _put_back(self, records: Mapping[TP, list[Any]]) -> None:
        """Reads again later what came in the midst of a rebalance.

        Upstream seeks to what is committed instead, which loses what it has taken from a changelog: if it took it after recovery
        had sought, recovery waits for it for ever.
        """
        await self._back({TP(*tp): run[0].offset for tp, run in records.items()})

    async def _back(self, offsets: Mapping[TP, int]) -> None:
        """Goes back to offsets, never forward, for a later seek stands; each for itself, for some may be gone."""
        consumer = self._thread._ensure_consumer()
        for tp, offset in offsets.items():
            try:
                await self._thread.call_thread(_back, consumer, tp, offset)
            except KafkaError as error:  # the partition is gone, or its new owner begins anew
                self.log.info("not put back: %r", error)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing to note: offsets are finished by runs, gaps among them do not matter."""

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return iter(list(self.finished))

    def _new_offset(self, tp: TP) -> int | None:
        return self.finished.get(tp)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super().on_partitions_revoked(revoked)
        self.finished.clear()

    async def renew_lease(self) -> None:
        """Asks the group whether it still counts this worker in."""
        with contextlib.suppress(ConsumerNotStarted):
            coordinator = self._thread._ensure_consumer()._coordinator
            await self._thread.call_thread(self.lease.renew, coordinator)


def _close(coroutines: Iterable[Any]) -> None:
    for one in coroutines:
        one.close()


async def _back(consumer: Any, tp: TP, offset: int) -> None:
    """In the consumer's own thread: nothing comes between the question and the seek."""
    if await consumer.position(tp) > offset:
        consumer.seek(tp, offset)


def _look_again(fetcher: Any) -> None:
    """In the consumer's own thread: who waits for records sees which partitions may be read by now."""
    for waiter in list(fetcher._fetch_waiters):
        fetcher._notify(waiter)
