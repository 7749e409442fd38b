"""The collector as a process, with the real broker: durable before 200, an outage, and the ends of the process."""

import signal
import socket
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.broker import Broker
from tests.ports import LOOPBACK, free_port_pair
from tests.real.collecting import Collector, events_of, post, status_of, taken, until

ANSWER_SECONDS_MAX = 5.0
TURNS_MAX = 30
SMALL = """
[topics]
partitions = 1
[identity.namespaces.user_id]
priority = 1
[channels.web]
write_keys = ["dev-web"]
[channels.app]
write_keys = ["dev-app"]
"""
"""Few topics, for each test has its own."""


@pytest.fixture
def collector(own_broker: Broker, tmp_path: Path) -> Iterator[Collector]:
    """One that has written before: the first record of all takes longest."""
    (tmp_path / "small.toml").write_text(SMALL)
    with Collector.run(own_broker, tmp_path, f"c{time.time_ns()}", config=tmp_path / "small.toml") as started:
        taken(started.url, event("first"), "dev-app")
        yield started


def event(event_id: str) -> dict[str, Any]:
    return {"event_id": event_id, "event": "login", "identifiers": {"user_id": "42"}}


def ids_in_topic(own_broker: Broker, collector: Collector) -> list[str]:
    """The event ids in the topic of the channel `web`, as often as they are there."""
    return [event["event_id"] for event in events_of(own_broker, collector.prefix)]


def test_what_was_answered_with_200_is_in_the_topic(own_broker: Broker, collector: Collector) -> None:
    """Of what was answered with 503, as on a busy machine, nothing is known."""
    for turn in range(TURNS_MAX):
        many = [f"{turn}/{number}" for number in range(1000)]
        status, answer = post(collector.url, [*map(event, many), {"event": "x"}])
        if status != 503:
            break
        time.sleep(float(answer["retry_after"]))
    assert (status, answer["rejected"]) == (200, [{"index": 1000, "reason": "no_identifier"}])
    found = [event_id for event_id in ids_in_topic(own_broker, collector) if event_id.startswith(f"{turn}/")]
    assert sorted(found) == sorted(many)


def test_while_the_broker_is_away_the_sender_is_told_within_five_seconds_and_then_it_works_again(
    own_broker: Broker, collector: Collector
) -> None:
    taken(collector.url, event("before"))
    said = len(collector.log.read_text().splitlines())
    own_broker.kill()
    try:
        for _ in range(2):
            started = time.monotonic()
            status, answer = post(collector.url, event("during"))
            assert (status, answer["error"]["code"], answer["retry_after"]) == (503, "not_ready", "1")
            assert time.monotonic() - started < ANSWER_SECONDS_MAX
        assert (status_of(f"{collector.url}/readyz"), status_of(f"{collector.url}/healthz")) == (503, 200)
    finally:
        own_broker.start()
    until(lambda: post(collector.url, event("during"))[0] == 200)
    taken(collector.url, event("after"))
    assert set(ids_in_topic(own_broker, collector)) == {"before", "during", "after"}
    told = [line.rpartition(" ")[2] for line in collector.log.read_text().splitlines()[said:]]
    assert (told[0], told[-1]) == ("acknowledge", "again")
    assert all(before != after for before, after in pairwise(told)), "what goes on is told once"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(collector: Collector, end: signal.Signals) -> None:
    assert collector.stop(end) == 0


def test_it_starts_and_stops_without_a_broker(tmp_path: Path) -> None:
    nowhere = Broker(LOOPBACK, free_port_pair(), tmp_path)
    collector = Collector(nowhere, tmp_path, "nowhere")
    until(lambda: status_of(f"{collector.url}/healthz") == 200)
    assert (post(collector.url, event("1"))[0], status_of(f"{collector.url}/readyz")) == (503, 503)
    assert collector.stop() == 0


def test_a_taken_port_is_named_with_its_setting(own_broker: Broker, tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        collector = Collector(own_broker, tmp_path, "taken", port=other.getsockname()[1])
        assert collector.process.wait(timeout=20) == 1
    assert "ONETRAIL_COLLECT_PORT: the collector cannot listen on" in collector.log.read_text().splitlines()[-1]
