"""The embedded broker as its users see it: it keeps what it acknowledged, makes no topic unasked, and leaves nobody behind."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.administration import administering
from app.broker import Broker, BrokerError
from app.broker.ownership import arguments_of
from tests.ports import LOOPBACK, free_port_pair

FOREGROUND = """
import sys, pathlib, app.broker
app.broker.Broker(sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])).run_foreground()
"""


@pytest_asyncio.fixture
async def admin(own_broker: Broker) -> AsyncIterator[AIOKafkaAdminClient]:
    async with administering(own_broker.bootstrap) as client:
        yield client


async def test_what_was_acknowledged_is_there_after_a_kill(own_broker: Broker, admin: AIOKafkaAdminClient) -> None:
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await produce(own_broker, "kept", b"before")
    own_broker.kill()
    own_broker.start()
    await produce(own_broker, "kept", b"after")
    assert await consume(own_broker, "kept", 2) == [b"before", b"after"]


async def test_what_was_acknowledged_is_there_after_a_stop(own_broker: Broker, admin: AIOKafkaAdminClient) -> None:
    await admin.create_topics([NewTopic("closed", 1, 1)])
    await produce(own_broker, "closed", b"before")
    own_broker.stop()
    assert not own_broker.running
    own_broker.start()
    assert await consume(own_broker, "closed", 1) == [b"before"]


async def test_a_topic_is_not_made_by_asking_for_it(own_broker: Broker, admin: AIOKafkaAdminClient) -> None:
    (asked,) = await admin.describe_topics(["misspelt"])
    assert asked["error_code"] == 3  # UNKNOWN_TOPIC_OR_PARTITION
    assert "misspelt" not in await admin.list_topics()


def test_a_second_broker_on_the_same_directory_is_refused(own_broker: Broker) -> None:
    with pytest.raises(BrokerError, match=r"another onetrail runs the broker in .*ONETRAIL_DATA"):
        Broker(LOOPBACK, free_port_pair(), own_broker.directory.parent).start()
    assert own_broker.running


def test_a_taken_port_is_named_with_its_setting(own_broker: Broker, tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=f"{LOOPBACK}:{own_broker.port}: .*ONETRAIL_BROKER_PORT"):
        Broker(LOOPBACK, own_broker.port, tmp_path).start()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_a_signal_ends_it_cleanly(tmp_path: Path, end: signal.Signals) -> None:
    process, port = in_foreground(tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == f"broker: {LOOPBACK}:{port}\n"
    process.send_signal(end)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert not (tmp_path / "broker" / "broker.pid").exists()


def test_a_broker_ends_with_its_killed_owner_and_its_data_can_be_used_again(tmp_path: Path) -> None:
    process, port = in_foreground(tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    orphan = int((tmp_path / "broker" / "broker.pid").read_text())
    process.kill()
    process.communicate()
    heir = Broker(LOOPBACK, port, tmp_path)
    heir.start()
    heir.stop()
    assert str(tmp_path) not in arguments_of(orphan)


def in_foreground(data: Path) -> tuple[subprocess.Popen[str], int]:
    port = free_port_pair()
    command = [sys.executable, "-c", FOREGROUND, LOOPBACK, str(port), str(data)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True), port


async def produce(own_broker: Broker, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=own_broker.bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def consume(own_broker: Broker, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=own_broker.bootstrap, auto_offset_reset="earliest")
    async with consumer:
        return [(await consumer.getone()).value for _ in range(count)]
