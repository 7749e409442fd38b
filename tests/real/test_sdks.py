"""Real SDKs against the real collector and broker: what they report as sent is in the topic, once, with every field."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.broker import Broker
from tests.real.collecting import Collector, events_of
from tests.real.sdk_packages import installed, node_modules

PYTHON_PACKAGES = (
    "segment-analytics-python==2.4.0",
    "rudder-sdk-python==2.1.9",
    "posthog==7.91.1",
    "SensorsAnalyticsSDK==1.11.0",
)
NODE_PACKAGES = (
    "@segment/analytics-node@3.1.0",
    "@rudderstack/rudder-sdk-node@3.0.13",
    "posthog-node@5.70.0",
    "sa-sdk-node@1.2.6",
)

LOST = """
import os, sys

def lost(error, messages):
    sys.stderr.write(f"lost: {error!r}")
    sys.stderr.flush()
    os._exit(1)  # the SDKs call this in a thread of theirs

"""
SEGMENT_PYTHON = (
    LOST
    + """
from segment.analytics.client import Client
client = Client("dev-web", host=sys.argv[1], gzip=True, on_error=lost)
"""
)
RUDDER_PYTHON = (
    LOST
    + """
from rudderstack.analytics.client import Client
client = Client("dev-web", host=sys.argv[1], on_error=lost)
"""
)
CALLS_PYTHON = """
client.identify("42", {"email": "Ann@Example.com", "city": "Foshan"}, anonymous_id="a-1")
client.track("42", "order_paid", {"amount": 12.5, "text": "\\u4f60\\ud83d\\ude00"}, message_id="m-1")
client.page("42", name="Cars", properties={"path": "/cars"})
client.screen("42", name="Home")
client.group("42", "g-1", {"email": "office@example.com"})
client.alias("a-2", "42")
client.flush()
client.join()
"""
SEGMENT_NODE = """
const { Analytics } = require('@segment/analytics-node')
const client = new Analytics({ writeKey: 'dev-web', host: process.argv[1], path: '/v1/batch' })
client.on('error', error => { console.error(error); process.exit(1) })
const finish = () => client.closeAndFlush()
"""
RUDDER_NODE = """
const Analytics = require('@rudderstack/rudder-sdk-node')
const client = new Analytics('dev-web', { dataPlaneUrl: process.argv[1], logLevel: 'error', flushInterval: 100 })
const finish = () => client.flush().then(() => client.flush())
"""
CALLS_NODE = """
client.identify({ userId: '42', anonymousId: 'a-1', traits: { email: 'Ann@Example.com', city: 'Foshan' } })
client.track({ userId: '42', event: 'order_paid', properties: { amount: 12.5, text: '\\u4f60\\ud83d\\ude00' }, messageId: 'm-1' })
client.page({ userId: '42', name: 'Cars', properties: { path: '/cars' } })
client.screen({ userId: '42', name: 'Home' })
client.group({ userId: '42', groupId: 'g-1', traits: { email: 'office@example.com' } })
client.alias({ previousId: 'a-2', userId: '42' })
setTimeout(finish, 50)
"""
POSTHOG_PYTHON = (
    LOST
    + """
from posthog import Posthog
client = Posthog("dev-web", host=sys.argv[1], on_error=lost, gzip=True)
client.capture("order_paid", distinct_id="42", properties={"amount": 12.5})
client.set(distinct_id="42", properties={"city": "Foshan"})
client.alias("before", "42")
client.capture("$identify", distinct_id="42", properties={"$anon_distinct_id": "visitor"})
client.shutdown()
"""
)
SENSORS_PYTHON = """
import sys
from sensorsanalytics import BatchConsumer, SensorsAnalytics, SensorsAnalyticsIdentity as Identity
client = SensorsAnalytics(BatchConsumer(sys.argv[1] + "/sa?project=default&token=dev-web"))
client.track("42", "order_paid", {"amount": 12.5})
client.track_signup("42", "before")
client.bind(Identity("$identity_login_id", "42"), Identity("$identity_mobile", "13800138000"))
client.profile_set("42", {"city": "Foshan"})
client.close()
"""
POSTHOG_NODE = """
const { PostHog } = require('posthog-node')
const client = new PostHog('dev-web', { host: process.argv[1] })
client.on('error', error => { console.error(error); process.exit(1) })
client.capture({ distinctId: '42', event: 'order_paid', properties: { amount: 12.5 } })
client.capture({ distinctId: '42', event: '$set', properties: { $set: { city: 'Foshan' } } })
client.alias({ distinctId: '42', alias: 'before' })
client.identify({ distinctId: '42', properties: { city: 'Foshan', $anon_distinct_id: 'visitor' } })
client.shutdown()
"""
SENSORS_NODE = """
const Client = require('sa-sdk-node')
const client = new Client()
client.submitTo(process.argv[1] + '/sa?project=default&token=dev-web')
client.track('42', 'order_paid', { amount: 12.5 })
client.trackSignup('42', 'before')
client.profileSet('42', { city: 'Foshan' })
"""
IDENTIFIERS = {
    "identify": {"user_id": "42", "anonymous_id": "a-1", "email": "Ann@Example.com"},
    "order_paid": {"user_id": "42"},
    "page_viewed": {"user_id": "42"},
    "screen_viewed": {"user_id": "42"},
    "group_joined": {"user_id": "42"},
    "alias": {"user_id": "42", "anonymous_id": "a-2"},
}


@pytest.fixture(scope="module")
def python_packages() -> Mapping[str, str]:
    def install(directory: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--target", str(directory)]
        subprocess.run([*pip, *PYTHON_PACKAGES], check=True)

    return {"PYTHONPATH": str(installed("python", PYTHON_PACKAGES, install))}


@pytest.fixture(scope="module")
def node_packages() -> Mapping[str, str]:
    return {"NODE_PATH": str(node_modules(NODE_PACKAGES))}


@pytest.fixture(scope="module")
def collector(own_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with Collector.run(own_broker, tmp_path_factory.mktemp("collector"), f"sdk{time.time_ns()}") as started:
        yield started


def run(command: list[str], packages: Mapping[str, str]) -> None:
    """Runs a program that uses an SDK; it ends well when the SDK reports everything as sent."""
    done = subprocess.run(command, env={**os.environ, **packages}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def sent_by(own_broker: Broker, collector: Collector, command: list[str], packages: Mapping[str, str]) -> dict[str, Any]:
    """Event name -> canonical event, of what a program sends."""
    before = events_of(own_broker, collector.prefix)
    run([*command, collector.url], packages)
    events = [event for event in events_of(own_broker, collector.prefix) if event not in before]
    return {event["event"]: event for event in events}


def assert_complete(events: dict[str, Any]) -> None:
    """Nothing that Segment's programs say is missing."""
    assert {name: event["identifiers"] for name, event in events.items()} == IDENTIFIERS
    assert all(event["event_id"] and event["occurred_at"] and event["sent_at"] for event in events.values())
    assert events["order_paid"]["event_id"] == "m-1"
    assert events["order_paid"]["properties"] == {"amount": 12.5, "text": "你😀"}
    assert events["identify"]["traits"] == {"email": "Ann@Example.com", "city": "Foshan"}
    assert events["page_viewed"]["properties"]["name"] == "Cars"
    assert events["group_joined"]["properties"]["group_id"] == "g-1"
    assert events["order_paid"]["context"]["library"]["name"]


@pytest.mark.parametrize("sdk", [SEGMENT_PYTHON, RUDDER_PYTHON], ids=["segment", "rudder"])
def test_the_python_sdks(own_broker: Broker, collector: Collector, python_packages: Mapping[str, str], sdk: str) -> None:
    assert_complete(sent_by(own_broker, collector, [sys.executable, "-c", sdk + CALLS_PYTHON], python_packages))


@pytest.mark.parametrize("sdk", [SEGMENT_NODE, RUDDER_NODE], ids=["segment", "rudder"])
def test_the_node_sdks(own_broker: Broker, collector: Collector, node_packages: Mapping[str, str], sdk: str) -> None:
    assert_complete(sent_by(own_broker, collector, ["node", "-e", sdk + CALLS_NODE], node_packages))


def assert_posthogs(events: dict[str, Any]) -> None:
    """Nothing that PostHog's programs say is missing; which of an alias is whose differs between its SDKs."""
    assert events["order_paid"]["identifiers"] == events["$set"]["identifiers"] == {"distinct_id": "42"}
    assert set(events["$create_alias"]["identifiers"]["distinct_id"]) == {"42", "before"}
    assert events["$set"]["traits"] == {"city": "Foshan"}
    assert events["$identify"]["identifiers"] == {"distinct_id": ["42", "visitor"], "anonymous_id": "visitor"}
    assert events["order_paid"]["properties"]["amount"] == 12.5


def assert_sensors(events: dict[str, Any]) -> None:
    """Nothing that Sensors' programs say is missing."""
    assert events["order_paid"]["identifiers"] == events["profile_set"]["identifiers"] == {"distinct_id": "42"}
    assert events["$SignUp"]["identifiers"] == {"distinct_id": ["42", "before"]}
    assert events["profile_set"]["traits"]["city"] == "Foshan"
    assert events["order_paid"]["properties"]["amount"] == 12.5


def test_posthogs_python_sdk(own_broker: Broker, collector: Collector, python_packages: Mapping[str, str]) -> None:
    assert_posthogs(sent_by(own_broker, collector, [sys.executable, "-c", POSTHOG_PYTHON], python_packages))


def test_posthogs_node_sdk(own_broker: Broker, collector: Collector, node_packages: Mapping[str, str]) -> None:
    assert_posthogs(sent_by(own_broker, collector, ["node", "-e", POSTHOG_NODE], node_packages))


def test_the_python_sdk_of_sensors(own_broker: Broker, collector: Collector, python_packages: Mapping[str, str]) -> None:
    events = sent_by(own_broker, collector, [sys.executable, "-c", SENSORS_PYTHON], python_packages)
    assert_sensors(events)
    assert events["$BindID"]["identifiers"] == {"distinct_id": "42", "user_id": "42", "phone": "13800138000"}


def test_the_node_sdk_of_sensors(own_broker: Broker, collector: Collector, node_packages: Mapping[str, str]) -> None:
    assert_sensors(sent_by(own_broker, collector, ["node", "-e", SENSORS_NODE], node_packages))


def test_an_sdk_sends_again_until_the_broker_is_back(
    own_broker: Broker, collector: Collector, python_packages: Mapping[str, str]
) -> None:
    own_broker.kill()
    back = threading.Timer(3.0, own_broker.start)
    back.start()
    try:
        told = SEGMENT_PYTHON + "client.track('7', 'waited')\nclient.shutdown()"
        run([sys.executable, "-c", told, collector.url], python_packages)
    finally:
        back.join()
    waited = [event["event_id"] for event in events_of(own_broker, collector.prefix) if event["event"] == "waited"]
    assert len(set(waited)) == 1
