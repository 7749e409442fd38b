"""A small Faust app on our runtime, events in, counts in rows: `python -m tests.real.counting BOOTSTRAP PREFIX DATA WORKER`.

An event is the name of who it counts for. A relay makes it a message for that name's partition, a stage counts it.
"""

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import faust
import msgspec
from faust.types import StreamT

from app.latency import Delay
from app.runtime.app import App
from app.runtime.durable import Record
from app.runtime.overlay import Overlay
from app.runtime.relay import Relay
from app.runtime.stage import Message, Sent, Stage
from app.runtime.station import Outgoing, RelayStation, StageStation
from app.runtime.tables import RowTable
from app.runtime.tally import Tally

PARTITIONS = 4
SLEEP = "sleep"
BATCH_BYTES = 4_100_000


class Count(msgspec.Struct, frozen=True, array_like=True):
    """One more for a name."""

    name: str


class Counts:
    """A row is a number."""

    def handle(self, message: Count, rows: Overlay[int]) -> Iterable[Sent]:
        """Adds one."""
        rows.put(message.name.encode(), (rows.get(message.name.encode()) or 0) + 1)
        return ()

    def reject(self, body: bytes, partition: int, offset: int, why: str) -> Record:
        """Nothing is rejected here."""
        raise AssertionError(why)

    def encode(self, key: bytes, row: int) -> bytes:
        """Decimal."""
        return str(row).encode()

    def returns(self, key: bytes) -> bool:
        return True

    def decode(self, key: bytes, body: bytes) -> int:
        """Decimal."""
        return int(body)


def topics(prefix: str) -> tuple[str, str, str]:
    """Events, the stage's inbox, its changelog."""
    return f"{prefix}.events", f"{prefix}.inbox", f"{prefix}-counts-changelog"


def counting(bootstrap: str, prefix: str, data: Path, worker: str) -> App:
    """The app of one worker."""
    events, inbox, _ = topics(prefix)
    app = App(
        prefix,
        broker=f"kafka://{bootstrap}",
        store="rocksdb://",
        datadir=str(data),
        autodiscover=False,
        Table=RowTable,
        key_serializer="raw",
        value_serializer="raw",
        topic_partitions=PARTITIONS,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        consumer_group_instance_id=worker,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        broker_rebalance_timeout=10.0,
        broker_commit_interval=0.5,
        producer_linger=0.0,
        producer_max_batch_size=BATCH_BYTES,
        producer_max_request_size=BATCH_BYTES + 65_536,
        stream_wait_empty=True,
        stream_recovery_delay=0.0,
        web_enabled=False,
    )

    async def prepare(app: App) -> None:
        await app.learn_topics(bootstrap, {}, (events, inbox))

    def relayed(record: Any) -> Iterator[Sent]:
        name = record.value.decode()
        yield Message(inbox, name, Count(name))

    app.before_start = prepare
    stations(app, events, inbox, Relay(relayed, refuse, PARTITIONS, Outgoing(app)), Sleeper(app, data / SLEEP))
    return app


def refuse(record: Any, why: str) -> Record:
    """Nothing is refused here."""
    raise AssertionError(why)


class Sleeper(Outgoing):
    """Stops its own process just before an append, once, when a file says so."""

    def __init__(self, app: App, sign: Path) -> None:
        super().__init__(app)
        self._sign = sign

    async def append(self, topic: str, partition: int, rows: Sequence[tuple[bytes, bytes]], last: int) -> int:
        """Perhaps after a long sleep."""
        if self._sign.exists():
            self._sign.unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
        return await super().append(topic, partition, rows, last)


def stations(app: App, events: str, inbox: str, relay: Relay, publisher: Outgoing) -> None:
    """Both agents and the table."""
    table: Any = app.Table("counts", key_type=bytes, value_type=bytes, partitions=PARTITIONS, recovery_buffer_size=4)
    counts = Counts()
    stage: Stage[Count, int] = Stage(
        Count, counts, counts, table.changelog, PARTITIONS, publisher, Tally(counts, b"", lambda row: row)
    )
    relaying, counted = RelayStation(app, relay, "policy", Delay()), StageStation(app, inbox, stage, table, Delay())

    @app.agent(raw(app, events), name="relay")
    async def relays(stream: StreamT[Any]) -> None:
        await relaying(stream)

    @app.agent(raw(app, inbox), name="count")
    async def counts_up(stream: StreamT[Any]) -> None:
        await counted(stream)

    @app.timer(interval=3.0)  # type: ignore[untyped-decorator]  # Faust's
    async def probes() -> None:
        if app.tables.actives_ready and not app.rebalancing:
            await counted.probe()


def raw(app: faust.App, topic: str) -> Any:
    """A topic whose records are taken as they come."""
    return app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


if __name__ == "__main__":
    bootstrap, prefix, data, worker = sys.argv[1:]
    sys.argv[1:] = ["worker", "-l", "info", "--without-web"]
    counting(bootstrap, prefix, Path(data), worker).main()
