"""The functions of other packages that this runtime overrides or relies on, each with a fingerprint of its source.

An upgrade that changes one of them must be read before it is run: the worker refuses to start, and a test fails, until the
fingerprint here is renewed.
"""

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.api import Request
from aiokafka.protocol.fetch import FetchRequest
from faust.app.base import App
from faust.stores.rocksdb import RocksDBOptions, Store
from faust.tables.base import Collection
from faust.tables.recovery import Recovery
from faust.transport.conductor import ConductorCompiler
from faust.transport.consumer import Consumer, ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from mode.utils.queues import FlowControlEvent

RELIED_ON: dict[Callable[..., Any], str] = {
    App.on_stop: "bfe5a933defb",
    App._new_transport: "42db531312dd",
    App._new_producer_transport: "eb3b4aa6a896",
    Collection._new_store: "914a2bda605d",
    Collection.on_rebalance: "0812ad692171",
    Collection.on_recovery_completed: "b1526fb39ea0",
    Consumer.getmany: "4b168d84882a",
    Consumer._wait_next_records: "6218e1969a63",
    Consumer._add_gap: "4df2573ded7c",
    Consumer._filter_tps_with_pending_acks: "f6f923977423",
    Consumer._new_offset: "1d2c7ea89a7a",
    Consumer._should_commit: "5ce941793947",
    Consumer.on_partitions_revoked: "d04b7ae72c6f",
    Consumer.on_buffer_full: "c8961679e0bc",
    Consumer.on_buffer_drop: "4b57e8a418d5",
    Consumer.wait_empty: "e4662fe24f09",
    Consumer._drain_messages: "44a2500309e8",
    Recovery.on_recovery_completed: "6ef567acf072",
    Recovery.on_rebalance: "aa4d997a1795",
    Recovery._build_offsets: "27eec86be06c",
    Recovery._seek_offsets: "19598ca63d94",
    Recovery._restart_recovery: "6bd8a8558a2d",
    Recovery._resume_streams: "d986a6710c1a",
    Recovery._slurp_changelogs: "7825c7e50f76",
    Store.apply_changelog_batch: "ea3344d369fc",
    Store.persisted_offset: "6f2e502fb860",
    Store.assign_partitions: "34dc27ace6dd",
    Store.revoke_partitions: "3f85447a24fc",
    App.on_first_start: "ec655d9c2234",
    App._on_partitions_revoked: "d5c895bbe57d",
    App._on_partitions_assigned: "de932b7927db",
    ConductorCompiler.build: "837cf521368c",
    Consumer.perform_seek: "0e8c130ff4b0",
    Consumer._commit_offsets: "1a6979904118",
    ThreadDelegateConsumer.seek_to_committed: "f1d483b861b0",
    RocksDBOptions.as_options: "d2a1bea17736",
    RocksDBOptions.open: "ff87e92d69e2",
    Store.partition_path: "0cc4eae7dc33",
    Store.set_persisted_offset: "b4c811926678",
    Store._open_for_partition: "1dc4e0113d67",
    driver.AIOKafkaConsumerThread._fetch_records: "39a2c6c79fc1",
    driver.AIOKafkaConsumerThread.seek_wait: "12e8d34e554e",
    driver.AIOKafkaConsumerThread.getmany: "26fc5fc9f3b6",
    driver.AIOKafkaConsumerThread.on_start: "38b4e8bd1e10",
    driver.Consumer._new_consumer_thread: "0870ec53dea7",
    driver.ConsumerRebalanceListener.on_partitions_assigned: "1c1f8406ad36",
    driver.Producer._settings_extra: "a4c7bc41b638",
    driver.Producer._ensure_producer: "5592a4bbdf25",
    FlowControlEvent.resume: "4dcdc1253fd0",
    Fetcher._get_actions_per_node: "1dab2cf937d1",
    Fetcher._proc_fetch_request: "59bf948fff47",
    Fetcher._create_fetch_waiter: "61d840568746",
    Fetcher.fetched_records: "be4348896b9b",
    FetchRequest.build: "952ef0f41192",
    Request.prepare: "3a65d9fdefe3",
    GroupCoordinator._send_req: "fa4b12e914ce",
    GroupCoordinator._do_heartbeat: "dc1d6632aaa6",
}


def fingerprint(function: Callable[..., Any]) -> str:
    """The first 12 characters of the SHA-256 of a function's source; of a service task, of its body."""
    source = inspect.getsource(getattr(function, "fun", function))
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def changed() -> list[str]:
    """Names of the functions whose source is not the one this runtime was written against."""
    return [name(f) for f, known in RELIED_ON.items() if fingerprint(f) != known]


def name(function: Callable[..., Any]) -> str:
    """Where a function is found: its module and qualified name."""
    inner = getattr(function, "fun", function)
    return f"{inner.__module__}.{inner.__qualname__}"
