"""Whether a person has more identifiers than the guards allow. Tightened guards part nobody, so it is the loosest that count.

The guards that were ever announced lie in the inbox, as far as its retention reaches; they are looked up only when
somebody has more than today's allow.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.check.ledger import Ledger
from app.check.log import POLL_MS
from app.check.report import Suspect
from app.guards import SOURCE
from app.runtime.packs import Pack
from app.settings import Settings
from app.topics import INBOX
from models.identity.messages import SetPolicy
from models.identity.policy import Policy

NAME = "nobody has more identifiers than the guards allow"
_decode = msgspec.msgpack.Decoder(Pack[msgspec.Raw]).decode
_guards = msgspec.msgpack.Decoder(SetPolicy).decode


async def loosened(found: list[Suspect], ledger: Ledger, settings: Settings) -> list[Suspect]:
    """Suspects without those that some earlier guards allowed."""
    if any(one.rule == NAME for one in found):
        async for policy in announced(settings):
            still = {answer[0] for answer in above(ledger, policy)}
            found = [one for one in found if one.rule != NAME or one.identifier in still]
    return found


def above(ledger: Ledger, policy: Policy) -> Iterator[tuple[Any, ...]]:
    """Who has more than this policy allows, as answers of a rule."""
    query = "SELECT uid, namespace, min(key), count(*) FROM members GROUP BY uid, namespace HAVING count(*) > 1"
    for uid, namespace, key, count in ledger.ask(query):
        if count > policy.limits.get(namespace, count):
            yield key, None, f"not so many of namespace {namespace} in one person", f"{count} with {uid}", uid
    query = "SELECT uid, min(key), count(*) FROM members GROUP BY uid HAVING count(*) > :cluster_limit"
    for uid, key, count in ledger.ask(query, {"cluster_limit": policy.cluster_limit}):
        yield key, None, "not so many identifiers in one person", f"{count} with {uid}", uid


async def announced(settings: Settings) -> AsyncIterator[Policy]:
    """The guards that workers announced; every partition has all of them. Nothing, where retention removed some."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, **settings.security
    )
    tp = TopicPartition(f"{settings.inner}{INBOX}", 0)
    async with consumer:
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        if (await consumer.beginning_offsets([tp]))[tp]:
            yield Policy({}, cluster_limit=1 << 30)
        while await consumer.position(tp) < end:
            records = (await consumer.getmany(tp, timeout_ms=POLL_MS)).get(tp, ())
            for policy in (policy for record in records for policy in _announcements(record.value or b"")):
                yield policy


def _announcements(raw: bytes) -> Iterator[Policy]:
    try:
        pack = _decode(raw)
    except msgspec.DecodeError:
        return
    if pack.source == SOURCE:
        for _, message in pack.messages:
            yield _guards(message).policy
