"""Baseline: `python -m tests.benchmarks.stock BOOTSTRAP TOPIC EVENTS NAME DATA`: Faust as it comes, one table write an event.

It does what every agent with state does at least: decode the event, take its identifier, keep a row. A linger of 50 ms is to its
advantage. It is measured from its thousandth event on, so that joining the group is not counted.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import faust
import msgspec
from faust.types import StreamT

BOOTSTRAP, TOPIC, EVENTS, NAME, DATA = sys.argv[1:]
PARTITIONS, WARM, POLL_SECONDS, ROW_BYTES = 2, 1_000, 0.02, 200

app = faust.App(
    NAME,
    broker=f"kafka://{BOOTSTRAP}",
    store="rocksdb://",
    datadir=Path(DATA),
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
    topic_disable_leader=True,
    table_standby_replicas=0,
    consumer_auto_offset_reset="earliest",
    producer_linger=0.05,
    web_enabled=False,
    key_serializer="raw",
    value_serializer="raw",
)
source: Any = app.topic(
    TOPIC, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", partitions=PARTITIONS
)
table: Any = app.Table("rows", key_type=bytes, value_type=bytes, partitions=PARTITIONS)
decode = msgspec.json.Decoder(dict[str, Any]).decode
handled = 0


@app.agent(source)
async def keep(stream: StreamT[bytes]) -> None:
    """One row an identifier: what was seen last."""
    global handled
    async for event in stream:
        table[decode(event)["identifiers"]["anonymous_id"].encode()] = event[:ROW_BYTES]
        handled += 1


def report() -> None:
    """Waits for the last event, writes the figure, and ends the process: nothing of it is wanted."""
    while handled < WARM:
        time.sleep(POLL_SECONDS)
    first, begun, cpu = handled, time.perf_counter(), time.process_time()
    while handled < int(EVENTS):
        time.sleep(POLL_SECONDS)
    figure = {"events": handled - first, "seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}
    os.write(1, json.dumps(figure).encode())  # Faust takes sys.stdout for its log
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=report, daemon=True).start()
    sys.argv[1:] = ["worker", "-l", "error"]
    app.main()
