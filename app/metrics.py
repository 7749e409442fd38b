"""Every metric of a worker, with unit and meaning, collected when it is asked for."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from app.clock import now_ms
from app.instance import app, rates, table, traffic, trail
from app.lag import lag
from app.latency import Histogram
from app.recovery import recovery
from app.rejects import rejects
from app.tallies import census, counters, delays, doubles, events_kept, relays, shown, stages

METRICS = {
    "onetrail_records": "raw records read since start, by agent",
    "onetrail_messages": "messages handled since start, by stage",
    "onetrail_batches": "batches of messages since start, by stage: each costs two round trips to the broker",
    "onetrail_repeats": "messages dropped since start because they were seen before, by stage",
    "onetrail_duplicate_events": "events since start whose id their journey had already, by the channel that told them again",
    "onetrail_outcomes": "merges, splits and erasures decided since start, by kind",
    "onetrail_refused_links": "links refused since start, by reason and namespace",
    "onetrail_retries": "proposals since start that reached a cluster which did not hold the other end",
    "onetrail_detours": "events since start that were sent on to another cluster",
    "onetrail_wandering": "alarms since start: messages that were sent on more than 8 times",
    "onetrail_rejected_records": "records in behaviour.rejected now, by reason and source: a channel, or the inbox of a stage",
    "onetrail_lag_records": "records that are not finished in the partitions of this worker, by topic",
    "onetrail_batch_delay_seconds": "from the broker's time of a record to when all that follows from it is durable, by agent",
    "onetrail_visible_seconds": "from the broker's time of an event to when its journey shows it, end to end",
    "onetrail_recovery_left_records": "changelog records that are still to be read before this worker answers",
    "onetrail_table_bytes": "size of the files of a table, by table",
    "onetrail_requests": "requests since start, by route and status",
    "onetrail_request_seconds": "how long answers took, by route",
    "onetrail_rate_limited": "requests refused since start because their caller asked too often",
    "onetrail_audit_records": "audit records acknowledged since start",
    "onetrail_audit_waiting": "audit records that wait for Kafka",
    "onetrail_audit_lost": "audit records of lookups lost since start, because too many waited",
    "onetrail_events": "events in journeys of this worker's partitions",
    "onetrail_frozen_clusters": "clusters of this worker's partitions that wait for an answer",
    "onetrail_frozen_age_seconds": "seconds since the event behind the merge that waits longest",
    "onetrail_pending_messages": "messages that wait in frozen clusters",
    "onetrail_cluster_identifiers": "living clusters by the number of their identifiers",
    "onetrail_partitions": "partitions that are live here, by table",
    "onetrail_standby_partitions": "partitions of other workers whose rows are followed here, by table",
    "onetrail_changelog_records": "changelog records read since start, by table",
    "onetrail_ready": "1 while this worker answers, 0 while its partitions move",
}
SIZES = (1, 2, 3, 5, 10, 20, 50, 100)


class WorkerCollector(Collector):
    """Reads the numbers where they are kept."""

    def collect(self) -> Iterator[Metric]:
        """All metrics of METRICS."""
        yield _counter("onetrail_records", ("agent",), {(name,): relay.handled for name, relay in relays.items()})
        yield _counter("onetrail_messages", ("stage",), {(name,): stage.handled for name, stage in stages.items()})
        yield _counter("onetrail_batches", ("stage",), {(name,): stage.batches for name, stage in stages.items()})
        yield _counter("onetrail_repeats", ("stage",), {(name,): stage.dropped for name, stage in stages.items()})
        yield _counter("onetrail_duplicate_events", ("channel",), {(channel,): count for channel, count in doubles.items()})
        yield _counter("onetrail_outcomes", ("kind",), {(kind,): count for kind, count in counters.outcomes.items()})
        yield _counter("onetrail_refused_links", ("reason", "namespace"), counters.refused)
        yield _counter("onetrail_retries", (), {(): counters.retries})
        yield _counter("onetrail_detours", (), {(): counters.forwards})
        yield _counter("onetrail_wandering", (), {(): counters.alarms})
        yield _gauge("onetrail_rejected_records", ("reason", "source"), rejects.by_source())
        yield _gauge("onetrail_events", (), {(): events_kept.total(table.live)})
        yield from self._clusters()
        yield from self._tables()
        yield from self._delays()
        yield from self._doors()
        yield _gauge("onetrail_ready", (), {(): int(app.tables.actives_ready and not app.rebalancing)})

    def _tables(self) -> Iterator[Metric]:
        name = (table.name,)
        yield _gauge("onetrail_partitions", ("table",), {name: len(table.live)})
        yield _gauge("onetrail_standby_partitions", ("table",), {name: len(table.standbys)})
        yield _counter("onetrail_changelog_records", ("table",), {name: table.store.folded})
        sizes = {(one,): size for one, size in table_bytes(Path(app.conf.tabledir)).items()}
        yield _gauge("onetrail_table_bytes", ("table",), sizes)
        progress = recovery.progress()
        yield _gauge("onetrail_recovery_left_records", (), {(): 0 if progress is None else progress.left})

    def _delays(self) -> Iterator[Metric]:
        yield _gauge("onetrail_lag_records", ("topic",), {(topic,): records for topic, records in lag.by_topic.items()})
        yield _histogram("onetrail_batch_delay_seconds", ("agent",), {(name,): delay.seconds for name, delay in delays.items()})
        yield _histogram("onetrail_visible_seconds", (), {(): shown.visible})

    def _doors(self) -> Iterator[Metric]:
        yield _counter("onetrail_requests", ("route", "status"), traffic.requests)
        yield _histogram("onetrail_request_seconds", ("route",), {(route,): one for route, one in traffic.seconds.items()})
        yield _counter("onetrail_rate_limited", (), {(): rates.refused})
        yield _counter("onetrail_audit_records", (), {(): trail.written})
        yield _gauge("onetrail_audit_waiting", (), {(): trail.waiting})
        yield _counter("onetrail_audit_lost", (), {(): trail.lost})

    def _clusters(self) -> Iterator[Metric]:
        frozen = census.standstill(table.live)
        age = 0 if frozen.since is None else (now_ms() - frozen.since) / 1000
        yield _gauge("onetrail_frozen_clusters", (), {(): frozen.clusters})
        yield _gauge("onetrail_frozen_age_seconds", (), {(): age})
        yield _gauge("onetrail_pending_messages", (), {(): frozen.pending})
        sizes = census.sizes(table.live)
        below = [(str(size), sum(n for s, n in sizes.items() if s <= size)) for size in SIZES]
        buckets = [*below, ("+Inf", sizes.total())]
        family = HistogramMetricFamily("onetrail_cluster_identifiers", METRICS["onetrail_cluster_identifiers"])
        family.add_metric([], buckets, sum(size * n for size, n in sizes.items()))
        yield family


def _counter(name: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    """`values` by the tuple of label values."""
    family = CounterMetricFamily(name, METRICS[name], labels=labels)
    for given, value in values.items():
        family.add_metric(given, value)
    return family


def _gauge(name: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    """`values` by the tuple of label values."""
    family = GaugeMetricFamily(name, METRICS[name], labels=labels)
    for given, value in values.items():
        family.add_metric(given, value)
    return family


def _histogram(name: str, labels: tuple[str, ...], values: Mapping[Any, Histogram]) -> Metric:
    """`values` by the tuple of label values."""
    family = HistogramMetricFamily(name, METRICS[name], labels=labels)
    for given, value in values.items():
        family.add_metric(given, value.buckets(), value.sum)
    return family


def table_bytes(directory: Path) -> dict[str, int]:
    """The sizes of the files below `<table>-<partition>...`, by table."""
    sizes: Counter[str] = Counter()
    for partition in directory.glob("*"):
        files = (f"{place}/{name}" for place, _, names in os.walk(partition) for name in names)
        sizes[partition.name.rpartition("-")[0]] += sum(map(_bytes, files))
    return dict(sizes)


def _bytes(file: str) -> int:
    """Its size; one that went away meanwhile has none."""
    try:
        return os.stat(file).st_size
    except OSError:
        return 0


registry = CollectorRegistry()
registry.register(WorkerCollector())
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)


def exposition() -> tuple[bytes, str]:
    """The metrics as text, and its content type."""
    return generate_latest(registry), CONTENT_TYPE_LATEST
