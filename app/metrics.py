"""Every metric of a worker, with unit and meaning, collected when it is asked for."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from agents import collect, identity, journey
from app.instance import app
from app.instance import identity as identity_table
from app.instance import journey as journey_table
from app.rejects import rejects
from app.runtime.stage import Stage

METRICS = {
    "onetrail_records_total": "raw records read from behaviour topics",
    "onetrail_messages_total": "messages handled, by stage",
    "onetrail_repeats_total": "messages dropped because they were seen before, by stage",
    "onetrail_rejected_records": "records in behaviour.rejected, by reason",
    "onetrail_events": "events in journeys of this worker's partitions",
    "onetrail_frozen_clusters": "clusters of this worker's partitions that wait for an answer",
    "onetrail_partitions": "partitions that are live here, by table",
    "onetrail_ready": "1 while this worker answers, 0 while its partitions move",
}


class WorkerCollector(Collector):
    """Reads the numbers where they are kept."""

    def collect(self) -> Iterator[Metric]:
        """All metrics of METRICS."""
        yield CounterMetricFamily("onetrail_records", METRICS["onetrail_records_total"], collect.relay.handled)
        stages: dict[str, Stage[Any, Any]] = {"identity": identity.stage, "journey": journey.stage}
        yield self._by_stage("onetrail_messages", {name: stage.handled for name, stage in stages.items()})
        yield self._by_stage("onetrail_repeats", {name: stage.dropped for name, stage in stages.items()})
        rejected = GaugeMetricFamily("onetrail_rejected_records", METRICS["onetrail_rejected_records"], labels=["reason"])
        for reason, count in rejects.counts().items():
            rejected.add_metric([reason], count)
        yield rejected
        yield self._gauge("onetrail_events", journey.tally.total(journey_table.live))
        yield self._gauge("onetrail_frozen_clusters", identity.tally.total(identity_table.live))
        live = GaugeMetricFamily("onetrail_partitions", METRICS["onetrail_partitions"], labels=["table"])
        for table in (identity_table, journey_table):
            live.add_metric([table.name], len(table.live))
        yield live
        yield self._gauge("onetrail_ready", int(app.tables.actives_ready and not app.rebalancing))

    def _by_stage(self, name: str, values: dict[str, int]) -> Metric:
        family = CounterMetricFamily(name, METRICS[f"{name}_total"], labels=["stage"])
        for stage, value in values.items():
            family.add_metric([stage], value)
        return family

    def _gauge(self, name: str, value: int) -> Metric:
        return GaugeMetricFamily(name, METRICS[name], value)


registry = CollectorRegistry()
registry.register(WorkerCollector())
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)


def exposition() -> tuple[bytes, str]:
    """The metrics as text, and its content type."""
    return generate_latest(registry), CONTENT_TYPE_LATEST
