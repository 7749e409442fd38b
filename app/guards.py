"""The guards of the configuration reach identities as messages in their inbox, so that a replay decides as before.

Every worker announces its guards to every partition before it consumes anything; the first message of an inbox is therefore
always a policy, and of several the newest holds. Guards that did not change are announced again to no effect.
"""

import msgspec
from aiokafka import AIOKafkaProducer

from app.clock import now_ms
from app.config import Config
from app.runtime.packs import Pack
from app.settings import Settings
from models.identity.messages import SetPolicy
from models.identity.policy import Policy

SOURCE = "guards"


def guards_of(config: Config) -> Policy:
    """The policy that a configuration describes."""
    limits = {namespace.name: namespace.limit for namespace in config.namespaces.values() if namespace.limit is not None}
    return Policy(limits, config.identity.cluster_limit, config.identity.shared_after)


async def announce(settings: Settings, config: Config, inbox: str) -> None:
    """Sends the guards to every partition of the inbox; returns when the broker has them."""
    version, policy = now_ms(), guards_of(config)
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, acks="all", enable_idempotence=True, **settings.security)
    await producer.start()
    try:
        for partition in range(config.topics.partitions):
            pack = Pack(SOURCE, [(version, SetPolicy(partition, policy, version))])
            await producer.send_and_wait(inbox, msgspec.msgpack.encode(pack), partition=partition)
    finally:
        await producer.stop()
