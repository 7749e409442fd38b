"""`python -m tests.benchmarks.pacing BOOTSTRAP TOPIC RATE KNOWN SERIES`: so many events a second, until it is killed.

A process of its own, so that who measures lookups meanwhile need not share its time with the load.
"""

import asyncio
import sys
import time
from itertools import count

from aiokafka import AIOKafkaProducer

from tests.benchmarks.behaviour import paced_event


async def pace(bootstrap: str, topic: str, rate: float, known: int, series: str) -> None:
    """Events of the people of `linking(known)`; what could not be sent in time is sent at once."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=2) as producer:
        begun = time.perf_counter()
        for number in count():
            await producer.send(topic, paced_event(series, number, known))
            if (early := begun + number / rate - time.perf_counter()) > 0:
                await asyncio.sleep(early)


if __name__ == "__main__":
    asyncio.run(pace(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
