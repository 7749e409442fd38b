"""The functions of other packages that this runtime overrides or relies on, each with a fingerprint of its source.

An upgrade that changes one of them must be read before it is run: the worker refuses to start, and a test fails, until the
fingerprint here is renewed.
"""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

from faust.app.base import App
from faust.stores.rocksdb import Store
from faust.tables.base import Collection
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver

RELIED_ON: dict[Callable[..., Any], str] = {
    App._new_transport: "",
    App._new_producer_transport: "",
    Collection._new_store: "",
    Collection.on_rebalance: "",
    Collection.on_recovery_completed: "",
    Consumer.getmany: "",
    Consumer._wait_next_records: "",
    Consumer._add_gap: "",
    Consumer._filter_tps_with_pending_acks: "",
    Consumer._new_offset: "",
    Consumer._should_commit: "",
    Consumer.on_partitions_revoked: "",
    Consumer.on_buffer_full: "",
    Consumer.on_buffer_drop: "",
    Consumer.wait_empty: "",
    Consumer._drain_messages: "",
    Recovery.on_recovery_completed: "",
    Recovery._restart_recovery: "",
    Recovery._slurp_changelogs: "",
    Store.apply_changelog_batch: "",
    Store.persisted_offset: "",
    Store.assign_partitions: "",
    Store.revoke_partitions: "",
    driver.Producer._settings_extra: "",
    driver.Producer._ensure_producer: "",
}


def fingerprint(function: Callable[..., Any]) -> str:
    """The first 12 characters of the SHA-256 of a function's source."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]


def changed() -> list[str]:
    """Names of the functions whose source is not the one this runtime was written against."""
    return [f"{f.__module__}.{f.__qualname__}" for f, known in RELIED_ON.items() if fingerprint(f) != known]
