"""Brings the records of the audit to Kafka, on a connection of its own: nothing that happens to it holds up a stage.

What is not acknowledged is sent again, so a record may be there twice, and is never dropped here.
"""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from mode import Service

from app.instance import AUDIT, app, settings, trail

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
STOP_SECONDS_MAX = 3.0


@app.service
class AuditDelivery(Service):
    """Sends what waits until the worker stops, and then what is left."""

    @Service.task
    async def _deliver(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, acks="all", linger_ms=5, **settings.security)
        await producer.start()
        try:
            await trail.deliver(lambda records: _sent(producer, records))
        finally:
            await producer.stop()

    async def on_stop(self) -> None:
        """The web server has stopped; its last records are under way."""
        try:
            await asyncio.wait_for(trail.drained(), STOP_SECONDS_MAX)
        except TimeoutError:
            log.error("audit: %d records of lookups are lost; Kafka did not take them before the end", trail.waiting)


async def _sent(producer: AIOKafkaProducer, records: Sequence[bytes]) -> None:
    told = ""
    while True:
        try:
            acks = [await producer.send(AUDIT, record) for record in records]
            await asyncio.gather(*acks)
            return
        except KafkaError as error:
            if told != (told := type(error).__name__):
                log.warning("audit: %s does not take records: %r", AUDIT, error)
            await asyncio.sleep(RETRY_SECONDS)
