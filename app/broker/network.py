"""Where the broker listens, and whether it answers there.

Clients reach it on `host:port`; its controller listens on the next port, on loopback, for nobody but itself.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from aiokafka.errors import KafkaError

from app.administration import administering
from app.broker.errors import BrokerError

LOOPBACK = "127.0.0.1"
WILDCARDS = ("0.0.0.0", "::")
ANSWER_MS_MAX = 5_000


def address(host: str, port: int) -> str:
    """`host:port` for clients on this machine: a host that stands for all interfaces is reached by loopback."""
    return f"{bracketed(reached(host))}:{port}"


def reached(host: str) -> str:
    """Where clients on this machine find what was bound to the host."""
    return LOOPBACK if host in WILDCARDS else host


def bracketed(host: str) -> str:
    """An IPv6 address as it stands before a port."""
    return f"[{host}]" if ":" in host else host


def properties(host: str, port: int, storage: str) -> str:
    """What is particular to one broker, as lines of server.properties; `storage` is relative to where it runs."""
    controller = f"{LOOPBACK}:{port + 1}"
    lines = (
        f"listeners=BROKER://{bracketed(host)}:{port},CONTROLLER://{controller}",
        f"advertised.listeners=BROKER://{address(host, port)}",
        f"controller.quorum.voters=1@{controller}",
        f"log.dirs={storage}",
    )
    return "".join(f"{line}\n" for line in lines)


def demand_free(host: str, port: int) -> None:
    """Raises BrokerError when something listens on one of the two ports, or the host is not of this machine."""
    for where, number in ((host, port), (LOOPBACK, port + 1)):
        try:
            with closing(socket.socket(socket.AF_INET6 if ":" in where else socket.AF_INET)) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((where, number))
        except OSError as error:
            reason = error.strerror or error
            advice = "set ONETRAIL_BROKER_PORT to another port (the broker needs it and the next one)"
            raise BrokerError(f"the broker cannot listen on {where}:{number}: {reason}; {advice}") from error


def answers(host: str, port: int) -> bool:
    """Whether a Kafka client gets through: it agrees on the protocol and is told of a live broker.

    In a thread with a loop of its own, so that it works with and without a running loop.
    """
    try:
        socket.create_connection((reached(host), port), timeout=1).close()
    except OSError:
        return False
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, _handshake(address(host, port))).result()


async def _handshake(bootstrap: str) -> bool:
    try:
        async with administering(bootstrap, request_timeout_ms=ANSWER_MS_MAX) as admin:
            return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError):
        return False
