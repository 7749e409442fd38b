"""Every metric of the collector, with unit and meaning, in a registry of its own."""

from functools import cache
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from models.event import Reason


class Metric(NamedTuple):
    """One metric. `unit` None = a plain count or a truth value."""

    name: str
    unit: str | None
    labels: tuple[str, ...]
    meaning: str


REQUESTS = Metric("onetrail_collector_requests_total", None, ("path", "status"), "requests, by path and status of the answer")
REQUEST_TIME = Metric("onetrail_collector_request_seconds", "seconds", (), "from the head of a posted request to its answer")
ACK_TIME = Metric("onetrail_collector_ack_seconds", "seconds", (), "until Kafka had acknowledged all of a request")
RECEIVED = Metric("onetrail_collector_received_bytes_total", "bytes", (), "bodies that were read, unpacked")
ACCEPTED = Metric("onetrail_collector_events_total", None, ("channel",), "events that were accepted and are durable")
REJECTED = Metric(
    "onetrail_collector_rejected_total", None, ("channel", "reason"), "messages that were refused, and kept as such"
)
HELD = Metric("onetrail_collector_held_bytes", "bytes", (), "bodies of requests that are not answered yet")
METRICS = (REQUESTS, REQUEST_TIME, ACK_TIME, RECEIVED, ACCEPTED, REJECTED, HELD)

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counts. The labels of a path are those of known routes only, so nobody can make more of them; each is looked up once."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = cache(Counter(*_named(REQUESTS), registry=registry).labels)
        self._request_time = Histogram(*_named(REQUEST_TIME), registry=registry, buckets=_SECONDS)
        self._ack_time = Histogram(*_named(ACK_TIME), registry=registry, buckets=_SECONDS)
        self._received = Counter(*_named(RECEIVED), registry=registry)
        self._accepted = cache(Counter(*_named(ACCEPTED), registry=registry).labels)
        self._rejected = cache(Counter(*_named(REJECTED), registry=registry).labels)
        self._held = Gauge(*_named(HELD), registry=registry)
        ProcessCollector(registry=registry)

    def answered(self, path: str, status: int) -> None:
        """A request was answered."""
        self._requests(path, status).inc()

    def took(self, seconds: float) -> None:
        """A posted request was answered after so long."""
        self._request_time.observe(seconds)

    def acknowledged(self, seconds: float) -> None:
        """Kafka had all of a request after so long."""
        self._ack_time.observe(seconds)

    def received(self, count: int) -> None:
        """A body of so many bytes was read."""
        self._received.inc(count)

    def judged(self, channel: str, accepted: int, rejected: list[tuple[int, Reason]]) -> None:
        """All of a request is durable."""
        self._accepted(channel).inc(accepted)
        for _, reason in rejected:
            self._rejected(channel, reason).inc()

    def exposition(self, held: int) -> tuple[bytes, str]:
        """The metrics as text, and its content type; `held` bytes are held now."""
        self._held.set(held)
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


def _named(metric: Metric) -> tuple[str, str, tuple[str, ...]]:
    return metric.name, f"{metric.meaning} ({metric.unit})" if metric.unit else metric.meaning, metric.labels
