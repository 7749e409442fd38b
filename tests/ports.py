"""Ports of this machine that nobody else was given."""

import os
import random
import socket

LOOPBACK = "127.0.0.1"
LANES = 4
_LANE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % LANES
_CANDIDATES = iter(random.sample(range(20_000 + 2 * _LANE, 32_000, 2 * LANES), k=1_500))
"""At random, for other sessions on this machine look for theirs too; each once, for who is given one may listen much later.

Processes of one session choose among different ones.
"""


def free_port_pair() -> int:
    """A port that is free together with the next one, and that was given to nobody yet."""
    return next(port for port in _CANDIDATES if is_free(port) and is_free(port + 1))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0
