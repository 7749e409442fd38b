"""The container files against the program that they start: there is no Docker here, but names and places can be compared."""

import re
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from app.bootstrap import ROOT
from app.commands import main
from app.settings import Settings

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "onetrail"}
SECRETS = {"ONETRAIL_READ_TOKEN": "read", "ONETRAIL_ADMIN_TOKEN": "admin", "ONETRAIL_PII_KEY": "sixteen letters."}


def test_there_are_a_broker_a_collector_and_two_workers() -> None:
    assert SERVICES.keys() == {"broker", "topics", "collector", "worker-1", "worker-2"}
    assert SERVICES["broker"]["image"] == "apache/kafka:4.1.1"


@pytest.mark.parametrize("name", OURS)
def test_each_service_runs_a_command_that_exists(name: str) -> None:
    (command,) = OURS[name]["command"]
    assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize("name", OURS)
def test_each_service_has_settings_that_are_accepted(name: str) -> None:
    settings = Settings.from_environment({**OURS[name]["environment"], **SECRETS})
    assert settings.kafka == "broker:9092"
    assert settings.generated == frozenset()


def test_workers_have_names_addresses_and_volumes_of_their_own() -> None:
    workers = [OURS["worker-1"], OURS["worker-2"]]
    for distinct in ("ONETRAIL_WORKER", "ONETRAIL_WEB_URL"):
        assert len({worker["environment"][distinct] for worker in workers}) == 2
    volumes = [volume.partition(":") for worker in workers for volume in worker["volumes"]]
    assert {name for name, _, _ in volumes} == {"worker-1", "worker-2"} <= COMPOSE["volumes"].keys()
    assert {place for _, _, place in volumes} == {"/var/lib/onetrail"}
    assert "ONETRAIL_DATA=/var/lib/onetrail" in DOCKERFILE


def test_no_secret_is_written_down_and_no_port_is_open_to_others() -> None:
    for service in OURS.values():
        assert all(service["environment"][name].startswith(f"${{{name}:?") for name in SECRETS)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_image_copies_what_there_is_and_does_not_run_as_root() -> None:
    copied = re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE)
    assert {"app", "agents", "tables", "models", "docker", "pyproject.toml"} <= set(copied)
    assert all((ROOT / path).exists() for path in copied)
    assert "\nUSER onetrail\n" in DOCKERFILE


def test_the_container_runs_as_nobody_special() -> None:
    lines = DOCKERFILE.splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["onetrail"]
    after = lines[lines.index("USER onetrail") :]
    assert not any(line.startswith(("RUN ", "COPY ", "ADD ")) for line in after), "nothing of the program belongs to who runs it"
    assert "useradd --create-home onetrail" in DOCKERFILE


@pytest.mark.parametrize("name", OURS)
def test_no_service_is_given_more_than_it_needs(name: str) -> None:
    assert OURS[name].keys() & {"privileged", "cap_add", "network_mode", "pid", "user"} == set()
    assert all(port.startswith("127.0.0.1:") for port in OURS[name].get("ports", []))
