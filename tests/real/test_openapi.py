"""Requests made from the OpenAPI documents, good ones and bad ones, to a running collector and a running worker.

Whatever is asked, no answer is a fault of ours, and every answer is one that the document allows. 503 is allowed: it says that
the system is busy, and is none.
"""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.broker import Broker
from tests.real.collecting import Collector, taken
from tests.real.system import ADMIN, System

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 12
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method"
CONFIG = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503"]
"""


class Outside(tuple[System, Collector]):
    """A system and the collector before it."""

    __slots__ = ()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def outside(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outside]:
    place = tmp_path_factory.mktemp("outside")
    with Collector.run(broker, place, "outside") as collector:
        async with System.run(broker.bootstrap, "outside", place) as system:
            await system.started()
            taken(collector.url, {"event": "seen", "identifiers": {"user_id": "0"}})
            await system.settled()
            yield Outside((system, collector))


def faults(url: str, place: Path, *credentials: str) -> str:
    """What is wrong with the answers of whoever listens there; nothing when all is well."""
    (place / "schemathesis.toml").write_text(CONFIG)
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(place / "schemathesis.toml"),
        "run",
        f"{url}/openapi.json",
    ]
    options = ["--checks", CHECKS, "--max-time", str(SECONDS), "--seed", "1", "--workers", "2", "--generation-database", "none"]
    done = subprocess.run(
        [*command, *credentials, *options, "--no-color"], cwd=place, capture_output=True, text=True, timeout=170, check=False
    )
    return "" if done.returncode == 0 else done.stdout[-6_000:] + done.stderr[-2_000:]


async def test_the_collector_answers_as_its_document_says(outside: Outside, tmp_path: Path) -> None:
    _, collector = outside
    assert faults(collector.url, tmp_path, "--auth", "dev-web:") == ""
    assert collector.process.poll() is None


async def test_a_worker_answers_as_its_document_says(outside: Outside, tmp_path: Path) -> None:
    system, _ = outside
    assert faults(system.workers[0].url, tmp_path, "--header", f"Authorization: Bearer {ADMIN}") == ""
    assert system.workers[0].alive
