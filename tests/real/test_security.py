"""The whole system over TLS with a name and a password: nothing of ours reaches Kafka in another way."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
import trustme

from tests.ports import free_port_pair
from tests.real.collecting import Collector, taken
from tests.real.secure import PLAIN, SecureBroker
from tests.real.system import ADMIN, KEY, READ, System, path_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

PREFIX = "secure"
EVENTS = [{"event_id": f"e{n}", "event": "login", "identifiers": {"user_id": "42"}} for n in range(3)]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """Its settings are in the environment of whatever is started."""
    broker = SecureBroker(free_port_pair(), free_port_pair(), tmp_path_factory.mktemp("secure"))
    broker.start()
    own = {"PREFIX": PREFIX, "READ_TOKEN": READ, "ADMIN_TOKEN": ADMIN, "PII_KEY": KEY, "DATA": str(broker.directory / "commands")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ({f"ONETRAIL_{name}": value for name, value in own.items()} | broker.environment()).items():
            patch.setenv(name, value)
        yield broker
    broker.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def system(secure: SecureBroker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """One worker; the test itself writes and reads through the first door."""
    async with System.run(secure.bootstrap, PREFIX, tmp_path_factory.mktemp("system")) as system:
        system.environment.update(secure.environment())
        await system.started()
        yield system


def onetrail(*arguments: object, **changed: str) -> Done:
    command = [sys.executable, "-m", "app.commands", *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **changed}, capture_output=True, text=True, timeout=120, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


async def test_everything_of_ours_reaches_kafka(system: System, secure: SecureBroker, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, EVENTS)))
    assert onetrail("topics", "--check").out == "all topics are as they should be\n"
    assert onetrail("replay", file, "--channel", "app").code == 0
    with Collector.run(secure, tmp_path, PREFIX, kafka=secure.secure) as collector:
        await asyncio.to_thread(taken, collector.url, {"event": "page_viewed", "identifiers": {"user_id": "42"}})
    await system.put("behaviour.web", b"no event")
    await system.settled()
    journey = await system.known(path_of("journeys", "user_id", "42"))
    assert {item["event_id"] for item in journey["items"]} > {"e0", "e1", "e2"}
    url = system.workers[0].url
    assert json.loads(onetrail("status", "--json", "--url", url).out)["rejected"] == {"not_json": 1}
    assert json.loads(onetrail("rejected", "--json").out)["items"][0]["reason"] == "not_json"


async def test_a_plain_password_is_taken_too(secure: SecureBroker) -> None:
    assert onetrail("topics", "--check", **secure.environment(PLAIN)).code == 0


async def test_a_wrong_password_is_one_line(secure: SecureBroker) -> None:
    done = onetrail("topics", ONETRAIL_KAFKA_SASL_PASSWORD="wrong")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "ONETRAIL_KAFKA_SASL_PASSWORD" in done.err
    assert onetrail("worker", ONETRAIL_KAFKA_SASL_PASSWORD="wrong").err == done.err


async def test_a_certificate_of_somebody_else_is_one_line(secure: SecureBroker, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    done = onetrail("topics", ONETRAIL_KAFKA_CA_FILE=str(tmp_path / "other.pem"))
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "ONETRAIL_KAFKA_CA_FILE" in done.err
