"""An administrator's connection to Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient


@asynccontextmanager
async def administering(bootstrap: str, **security: Any) -> AsyncIterator[AIOKafkaAdminClient]:
    """The client, while it is needed; `security` as `Settings.security` has it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
