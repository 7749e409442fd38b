"""The Faust application with our consumer and producer underneath."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.utils.objects import cached_property

from app.runtime import upstream
from app.runtime.durable import Producer
from app.runtime.flow import Flow
from app.runtime.offsets import Offsets
from app.runtime.runs import Consumer
from app.runtime.topic_ids import topic_ids


class Transport(driver.Transport):
    """Faust's Kafka transport with runs and durable sends."""

    Consumer = Consumer
    Producer = Producer


class App(faust.App):
    """A Faust app on that transport; everything else is Faust's own."""

    before_start: Callable[["App"], Awaitable[None]] | None = None
    """Called once, before anything is consumed."""
    on_expired: Callable[[TP, int, int], Awaitable[None]] | None = None
    """Told of a partition, an offset and a number: so many records from there on were deleted before they were read."""
    _topic_ids: Mapping[str, str] = {}
    _offsets: Offsets | None = None
    applied: dict[str, Callable[[int], int | None]]
    """By inbox: where the messages begin that the rows of a partition have not applied; None where none was ever applied."""
    generation_end = 0
    """Where the topic that names the state in use ended at the start."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.applied = {}

    async def on_first_start(self) -> None:
        self.conf.datadir.mkdir(parents=True, exist_ok=True)
        await super().on_first_start()
        if self.before_start is not None:
            await self.before_start(self)

    def _new_transport(self) -> Any:
        return Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> Any:
        return Transport(self.conf.broker_producer, self)

    @cached_property
    def flow_control(self) -> Flow:
        """The tap before the queues of agents."""
        return Flow(loop=self.loop)

    @property
    def runs(self) -> Consumer:
        """The consumer, as what it is here."""
        consumer = self.consumer
        assert isinstance(consumer, Consumer)
        return consumer

    @property
    def durable(self) -> Producer:
        """The producer, as what it is here."""
        producer = self.producer
        assert isinstance(producer, Producer)
        return producer

    @property
    def owns(self) -> bool:
        """Whether what is assigned to this worker may be read: it is not moving, the group still counts us in, and we do not end.

        A worker that ends closes its tables a while before its port.
        """
        return not self.rebalancing and not self.in_recovery and self.runs.lease.holds() and not self.should_stop

    async def expired(self, tp: TP, offset: int, count: int) -> None:
        """Records that retention has deleted before this system read them are lost, and that is said aloud."""
        what_now = "; people and journeys lack what they said: run `onetrail rebuild`" if tp.topic in self.applied else ""
        self.log.error("%s/%s: %s records from offset %s on were deleted before they were read%s", *tp, count, offset, what_now)
        if self.on_expired is not None:
            await self.on_expired(tp, offset, count)

    def unread(self, tp: TP, committed: int | None) -> int | None:
        """Where reading of a partition is to go on; None where nothing was read yet.

        A group that is away for long loses its commits, and the rows of a stage know better than a commit how far they are.
        """
        applied = self.applied[tp.topic](tp.partition) if tp.topic in self.applied else None
        return max((offset for offset in (committed, applied) if offset is not None), default=None)

    def source(self, tp: TP) -> str:
        """The name by which destinations know a partition as a source of messages."""
        return f"{self._topic_ids[tp.topic]}/{tp.partition}"

    async def learn_topics(self, bootstrap: str, security: Mapping[str, Any], topics: Collection[str]) -> None:
        """Asks for the ids of the topics that are consumed; refuses to run on a Faust that we do not know."""
        if changed := upstream.changed():
            raise RuntimeError(f"app/runtime was written against other versions of {', '.join(changed)}; read them first")
        self._topic_ids = await topic_ids(bootstrap, security, topics)
        self._offsets = Offsets(bootstrap, security)
        await self._offsets.start()
        await self._offsets.ends(TP(topic, 0) for topic in topics)  # it learns of the topics before anybody waits for it

    @property
    def offsets(self) -> Offsets:
        """Where partitions begin and end."""
        assert self._offsets is not None, "asked before the app starts"
        return self._offsets

    async def on_shutdown(self) -> None:
        """After all services have ended: a question on a connection that is closed swallows that it was cancelled, and waits."""
        await super().on_shutdown()
        if self._offsets is not None:
            await self._offsets.stop()
