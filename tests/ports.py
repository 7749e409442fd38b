"""Ports of this machine that nobody else was given."""

import random
import socket

LOOPBACK = "127.0.0.1"
_CANDIDATES = iter(random.sample(range(20_000, 32_000, 2), k=6_000))
"""At random, for other sessions on this machine look for theirs too; each once, for who is given one may listen much later."""


def free_port_pair() -> int:
    """A port that is free together with the next one, and that was given to nobody yet."""
    return next(port for port in _CANDIDATES if is_free(port) and is_free(port + 1))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0
