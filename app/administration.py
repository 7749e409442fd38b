"""An administrator's connection to Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient


@asynccontextmanager
async def administering(bootstrap: str, **settings: Any) -> AsyncIterator[AIOKafkaAdminClient]:
    """The client, while it is needed; `settings` are its own, as those of `Settings.security`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **settings)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
