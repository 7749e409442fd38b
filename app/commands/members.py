"""What `onetrail up` runs: the embedded broker, the collector, the workers; their names, places and environments."""

import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from app.broker import Broker
from app.commands.failure import Failure
from app.settings import Settings
from app.supervisor import Child

ONETRAIL = (sys.executable, "-P", "-m", "app.commands")
PORT_MAX = 65_535
GONE_SECONDS_MAX = 3.0


class BrokerMember:
    """The embedded broker, as the supervisor wants its members."""

    name = "broker"

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @property
    def log(self) -> Path:
        """Kafka's own log."""
        return self._broker.log

    def start(self) -> None:
        """Returns when it answers. Raises BrokerError."""
        self._broker.stop()
        self._broker.start()

    def exit_code(self) -> int | None:
        """None while it runs; the real code is in its log."""
        return None if self._broker.running else 1

    def ask_to_end(self) -> None:
        """It is asked when it is waited for."""

    def end(self) -> None:
        """Lets Kafka close its files."""
        self._broker.stop()


def collector(settings: Settings) -> Child:
    """The HTTP collector."""
    return Child("collector", (*ONETRAIL, "collect"), environment(settings), _log(settings, "collector"))


def workers(settings: Settings, count: int) -> list[Child]:
    """Worker i: its own port, data directory and name, the same every time."""
    return [
        Child(f"worker-{i}", (*ONETRAIL, "worker"), worker_environment(settings, i), _log(settings, f"worker-{i}"))
        for i in range(count)
    ]


def _log(settings: Settings, name: str) -> Path:
    return settings.data / "logs" / f"{name}.log"


def environment(settings: Settings, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Ours, with the secrets that this installation may have made for itself."""
    return {
        **base,
        "ONETRAIL_DATA": str(settings.data),
        "ONETRAIL_READ_TOKEN": settings.read_token,
        "ONETRAIL_ADMIN_TOKEN": settings.admin_token,
        "ONETRAIL_PII_KEY": settings.pii_key.decode("utf-8", "surrogateescape"),
    }


def worker_environment(settings: Settings, i: int, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What tells worker i from the others."""
    return {
        **environment(settings, base),
        "ONETRAIL_DATA": str(settings.data / f"worker-{i}"),
        "ONETRAIL_WEB_PORT": str(settings.web_port + i),
        "ONETRAIL_WEB_URL": worker_url(settings, i),
        "ONETRAIL_WORKER": f"{settings.worker}-{i}",
    }


def worker_url(settings: Settings, i: int) -> str:
    """How worker i is reached: the settings' address, its port raised by i."""
    parts = urlsplit(settings.web_url)
    if parts.port is None or i == 0:
        return settings.web_url
    host = parts.netloc.rpartition(":")[0]
    return parts._replace(netloc=f"{host}:{parts.port + i}").geturl()


def collector_url(settings: Settings) -> str:
    """Where events are sent."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.collect_port}"


def demand_ports(settings: Settings, count: int) -> None:
    """Raises Failure when a port of ours is taken, twice used, or too high: said at once rather than by a dying child."""
    wanted = [("ONETRAIL_COLLECT_PORT", settings.collect_port)]
    wanted += [("ONETRAIL_WEB_PORT", settings.web_port + i) for i in range(count)]
    own_broker = () if settings.kafka else (settings.broker_port, settings.broker_port + 1)
    seen = dict.fromkeys(own_broker, "ONETRAIL_BROKER_PORT")
    for name, port in wanted:
        if port > PORT_MAX:
            raise Failure(f"{name} plus the number of workers goes beyond port {PORT_MAX}")
        if port in seen:
            raise Failure(f"{name} and {seen[port]} both need port {port}; set one of them to another")
        seen[port] = name
        if not _is_free(settings.host, port):
            raise Failure(f"port {port} on {settings.host} is taken; stop who listens there, or set {name} to another port")


def _is_free(host: str, port: int) -> bool:
    """The children of an `up` that was just killed need a moment to be gone."""
    end = time.monotonic() + GONE_SECONDS_MAX
    while not _can_bind(host, port):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _can_bind(host: str, port: int) -> bool:
    with closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
