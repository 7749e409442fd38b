"""Groups of consumers: how long they wait for a member, and when they stand again."""

import asyncio

from tests.real.system import System

SESSION_SECONDS = 10.0
"""After so long without a sign of life a worker's partitions go to others (app/instance.py)."""
HEARTBEAT_SECONDS = 3.0


async def regrouped(system: System) -> None:
    """Waits until all is settled and stays so, after a broker came back: who was late for it joins anew, within a session."""
    await asyncio.sleep(SESSION_SECONDS + HEARTBEAT_SECONDS)
    await system.ready(*(worker for worker in system.workers if worker.alive))
    await system.settled()
