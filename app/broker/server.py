"""Runs Kafka: formats its storage once, starts it, knows when it answers, and ends it.

All of a broker lies in `<data>/broker`: `log` (Kafka's own storage), `server.properties` (written anew at each start),
`broker.log`, `broker.out` (what the Java runtime itself says). The directory has one owner at a time, by a lock that dies
with the process; so a broker found running there by the next owner is an orphan, and is ended before a new one starts.
Storage is formatted under another name and then renamed: a kill at any moment leaves either all of it or none.
"""

import base64
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import click

from app.broker.errors import BrokerError
from app.broker.jars import SETTINGS, class_path, kafka_jars
from app.broker.java import find_java
from app.broker.network import address, answers, demand_free, properties
from app.broker.ownership import claim, die_with_parent, end_orphan
from app.cache import cache_directory

HEAP = ("-Xms128m", "-Xmx512m")
START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 20
POLL_SECONDS = 0.05


class Broker:
    """One embedded Kafka node on `host:port`, its controller on `port + 1`, its files in `data/broker`.

    Every failure is a BrokerError. Not for several threads at once.
    """

    def __init__(self, host: str, port: int, data: Path, cache: Path | None = None) -> None:
        self.host, self.port = host, port
        self.bootstrap = address(host, port)
        self.directory = data.absolute() / "broker"
        self.log = self.directory / "broker.log"
        self._cache = cache or cache_directory()
        self._process: subprocess.Popen[bytes] | None = None
        self._claim: IO[str] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there; it may have ended by itself since `start`."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when clients get answers. Downloads what is missing; ends an orphan of the same directory."""
        assert self._process is None, "a broker is started once before it is stopped"
        java = str(find_java(self._cache))
        command = [java, *HEAP, *self._options(), "-cp", class_path(kafka_jars(self._cache))]
        self.directory.mkdir(parents=True, exist_ok=True)
        self._claim = claim(self.directory)
        try:
            end_orphan(self._pid_file, self._tag)
            demand_free(self.host, self.port)
            self._prepare_storage(command)
            self._spawn([*command, "kafka.Kafka", "server.properties"])
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Lets Kafka close its files; after 20 s it is killed. Nothing happens if it is not running."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._gone()

    def kill(self) -> None:
        """Ends it as a power cut would (kill -9)."""
        if self._process is not None:
            self._process.kill()
        self._gone()

    def run_foreground(self) -> None:
        """Runs until SIGINT or SIGTERM, then returns; raises BrokerError if the broker ends by itself."""
        for end in (signal.SIGINT, signal.SIGTERM):  # a shell starts what it puts in the background with SIGINT ignored
            signal.signal(end, signal.default_int_handler)
        try:
            self.start()
            click.echo(f"broker: {self.bootstrap}")
            self._await_end()
        except KeyboardInterrupt:
            click.echo("stopping the broker", err=True)
        finally:
            self.stop()

    def _await_end(self) -> None:
        assert self._process is not None
        code = self._process.wait()
        raise BrokerError(f"the broker ended by itself with code {code}; its log is {self.log}")

    @property
    def _pid_file(self) -> Path:
        return self.directory / "broker.pid"

    @property
    def _tag(self) -> str:
        """By this argument a process is known to be the broker of this directory, whoever has its number now."""
        return f"-Donetrail.broker={self.directory}"

    def _options(self) -> Sequence[str]:
        logging = f"-Dlog4j2.configurationFile={SETTINGS / 'log4j2.properties'}"
        return (self._tag, f"-Donetrail.log={self.log}", logging, "-Djava.awt.headless=true", "-XX:+ExitOnOutOfMemoryError")

    def _prepare_storage(self, java: Sequence[str]) -> None:
        common = (SETTINGS / "server.properties").read_text()
        (self.directory / "server.properties").write_text(common + properties(self.host, self.port, "log"))
        if (self.directory / "log").exists():
            return
        shutil.rmtree(self.directory / "log.new", ignore_errors=True)
        (self.directory / "format.properties").write_text(common + properties(self.host, self.port, "log.new"))
        format_storage = ["kafka.tools.StorageTool", "format", "-t", new_cluster_id(), "-c", "format.properties"]
        self._spawn([*java, *format_storage])
        assert self._process is not None
        code = self._process.wait(START_SECONDS_MAX)
        if code != 0:
            raise BrokerError(f"Kafka's storage could not be formatted (code {code}); its output is {self._output}")
        (self.directory / "log.new").rename(self.directory / "log")

    @property
    def _output(self) -> Path:
        return self.directory / "broker.out"

    def _spawn(self, command: Sequence[str]) -> None:
        """In a process group of its own: Ctrl-C is for us, who decide when the broker may go."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.directory,
                env={**os.environ, "LC_ALL": "C.UTF-8"},  # else Java cannot open paths in Chinese
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=die_with_parent(),
            )
        self._pid_file.write_text(str(self._process.pid))

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if (code := self._process.poll()) is not None:
                raise BrokerError(f"the broker ended with code {code} while starting; its log is {self.log}")
            if answers(self.host, self.port):
                return
            time.sleep(POLL_SECONDS)
        raise BrokerError(f"the broker did not answer within {START_SECONDS_MAX} s; its log is {self.log}")

    def _gone(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None
            self._pid_file.unlink(missing_ok=True)
        if self._claim is not None:
            self._claim.close()
            self._claim = None


def new_cluster_id() -> str:
    """16 bytes in URL-safe base64, as Kafka wants it; never beginning with a dash, which its tool would take for an option."""
    return base64.urlsafe_b64encode(b"onetrail" + secrets.token_bytes(8)).decode().rstrip("=")
