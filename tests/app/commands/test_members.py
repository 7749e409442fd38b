"""The processes of `up`: each worker has its own place, all share tokens and key."""

import socket
from pathlib import Path

import pytest

from app.commands.failure import Failure
from app.commands.members import collector_url, demand_ports, environment, worker_environment, worker_url
from app.settings import Settings


def settings(tmp_path: Path, **env: str) -> Settings:
    return Settings.from_environment(
        {"ONETRAIL_DATA": str(tmp_path), **{f"ONETRAIL_{name}": value for name, value in env.items()}}
    )


def test_a_worker_has_its_own_port_data_and_name(tmp_path: Path) -> None:
    parent = settings(tmp_path, WEB_PORT="7000", WORKER="w")
    first, second = (Settings.from_environment(worker_environment(parent, i, {})) for i in (0, 1))
    assert (first.web_port, second.web_port) == (7000, 7001)
    assert (first.web_url, second.web_url) == ("http://127.0.0.1:7000", "http://127.0.0.1:7001")
    assert (first.data, second.data) == (tmp_path / "worker-0", tmp_path / "worker-1")
    assert (first.worker, second.worker) == ("w-0", "w-1")


def test_all_share_the_secrets_that_were_made_here(tmp_path: Path) -> None:
    parent = settings(tmp_path)
    for child in (environment(parent, {}), worker_environment(parent, 3, {})):
        found = Settings.from_environment(child)
        assert (found.read_token, found.admin_token, found.pii_key) == (parent.read_token, parent.admin_token, parent.pii_key)
        assert found.generated == frozenset()


def test_a_key_that_is_no_utf8_arrives_as_it_is(tmp_path: Path) -> None:
    parent = settings(tmp_path, PII_KEY="sixteen letters\udcff!")
    assert Settings.from_environment(environment(parent, {})).pii_key == parent.pii_key == b"sixteen letters\xff!"


def test_everything_else_of_the_environment_stays(tmp_path: Path) -> None:
    assert worker_environment(settings(tmp_path), 0, {"ORDERS_TOKEN": "x"})["ORDERS_TOKEN"] == "x"


@pytest.mark.parametrize(
    ("url", "second"),
    [
        ("http://127.0.0.1:6066", "http://127.0.0.1:6067"),
        ("https://[::1]:6066/onetrail", "https://[::1]:6067/onetrail"),
        ("https://workers.example.com", "https://workers.example.com"),
    ],
)
def test_the_address_of_the_second_worker(tmp_path: Path, url: str, second: str) -> None:
    parent = settings(tmp_path, WEB_URL=url)
    assert (worker_url(parent, 0), worker_url(parent, 1)) == (url, second)


def test_the_address_of_the_collector(tmp_path: Path) -> None:
    assert collector_url(settings(tmp_path)) == "http://127.0.0.1:8000"
    assert collector_url(settings(tmp_path, HOST="::1", COLLECT_PORT="81")) == "http://[::1]:81"


@pytest.mark.parametrize(
    ("env", "workers", "message"),
    [
        ({"WEB_PORT": "8000"}, 1, "ONETRAIL_WEB_PORT and ONETRAIL_COLLECT_PORT both need port 8000"),
        ({"WEB_PORT": "7999"}, 2, "ONETRAIL_WEB_PORT and ONETRAIL_COLLECT_PORT both need port 8000"),
        ({"COLLECT_PORT": "9093"}, 1, "ONETRAIL_COLLECT_PORT and ONETRAIL_BROKER_PORT both need port 9093"),
        ({"WEB_PORT": "65535"}, 2, "beyond port 65535"),
    ],
)
def test_ports_that_cannot_be_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], workers: int, message: str
) -> None:
    monkeypatch.setattr("app.commands.members._is_free", lambda host, port: True)
    with pytest.raises(Failure, match=message):
        demand_ports(settings(tmp_path, **env), workers)


def test_the_brokers_port_is_free_to_use_with_another_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.commands.members._is_free", lambda host, port: True)
    demand_ports(settings(tmp_path, COLLECT_PORT="9092", KAFKA="kafka:9092"), 1)


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.commands.members.GONE_SECONDS_MAX", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(Failure, match=f"port {port} on 127.0.0.1 is taken; .* ONETRAIL_COLLECT_PORT"):
            demand_ports(settings(tmp_path, COLLECT_PORT=port), 1)
