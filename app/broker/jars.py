"""Kafka's jars, by Maven where it is installed, else by the Python package jgo; each stands in for the other when it fails.

Either way the outcome is compared with docker/broker/jars.sha256: the very same 46 files on every machine, or an error.
"""

import hashlib
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from app.broker.errors import BrokerError
from app.broker.fetch import fetch, pip_install
from app.cache import obtain

SETTINGS = Path(__file__).resolve().parents[2] / "docker" / "broker"
KAFKA = "org.apache.kafka:kafka_2.13:4.1.1"
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
JGO = "jgo[cli]==3.2.0"

Fetcher = Callable[[Path], None]
"""Puts jars anywhere below the directory; raises BrokerError."""


def kafka_jars(cache: Path) -> Path:
    """The directory that holds the jars, downloaded if they are not in the cache. Raises BrokerError."""
    expected = checksums((SETTINGS / "jars.sha256").read_text())
    version = KAFKA.rpartition(":")[2]
    return obtain(cache / f"kafka-{version}", lambda directory: download(directory, expected, fetchers()))


def checksums(text: str) -> Mapping[str, str]:
    """File name -> SHA-256 in hexadecimal, from the lines of `sha256sum`."""
    return {name: digest for digest, name in (line.split() for line in text.splitlines())}


def fetchers() -> Sequence[Fetcher]:
    """Those that this machine has, the quickest first."""
    return (by_maven, by_jgo) if shutil.which("mvn") else (by_jgo,)


def download(directory: Path, expected: Mapping[str, str], ways: Sequence[Fetcher]) -> None:
    """Fills the directory with exactly the expected jars, by the first way that brings them all. Raises BrokerError."""
    click.echo("onetrail: fetching Apache Kafka (46 jars, 43 MB; once on this machine)", err=True)
    failures = []
    for way in ways:
        scratch = directory / "scratch"
        scratch.mkdir()
        try:
            way(scratch)
            take(scratch, directory, expected)
            return
        except BrokerError as error:
            failures.append(str(error))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    raise BrokerError(f"Kafka could not be downloaded; is the network there? ({'; '.join(failures)})")


def take(scratch: Path, directory: Path, expected: Mapping[str, str]) -> None:
    """Moves the expected jars out of wherever they lie; raises BrokerError if one is missing or is not what it should be."""
    found = {jar.name: jar for jar in scratch.rglob("*.jar") if hashed(jar) == expected.get(jar.name)}
    missing = sorted(expected.keys() - found.keys())
    if missing:
        raise BrokerError(f"{len(missing)} of {len(expected)} jars are missing or damaged, the first is {missing[0]}")
    for name, jar in found.items():
        jar.rename(directory / name)


def hashed(file: Path) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def by_maven(directory: Path) -> None:
    """All jars into the directory, by the Maven of this machine. Raises BrokerError."""
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={directory}"]
    fetch(["mvn", "-q", "-B", "-f", str(SETTINGS / "pom.xml"), *goal], "Maven")


def by_jgo(directory: Path) -> None:
    """Resolves the two separately: together, what the second manages would take Kafka's own libraries back to older versions."""
    pip_install(directory / "jgo", JGO)
    python = {"PYTHONPATH": str(directory / "jgo"), "CJDK_CACHE_DIR": str(directory / "java")}
    places = ["--repo-cache", str(directory / "repository"), "--cache-dir", str(directory / "environments")]
    options = ["--ignore-config", "--quiet", "--resolver", "python", "--links", "hard", "--timeout", "60", *places]
    for coordinates in (KAFKA, LOGGING):
        fetch([sys.executable, "-m", "jgo", *options, "info", "classpath", coordinates], "jgo", python)


def class_path(jars: Path) -> str:
    """For `java -cp`."""
    return str(jars / "*")
