"""What a worker does beside its stages: it renews its lease, from time to time it looks for foreign writers behind its
changelogs, and at its end it closes its connections to others.
"""

from mode import Service

from agents import identity, journey
from app.instance import app
from app.lookups import peers, puller
from app.runtime.lease import RENEW_SECONDS, RETRY_SECONDS
from app.runtime.tables import PROBE_SECONDS


@app.service
class Upkeep(Service):
    """Probes; a stale writer that is found ends the process, and recovery repairs what it wrote."""

    @Service.task
    async def _probe(self) -> None:
        while not self.should_stop:
            await self.sleep(PROBE_SECONDS)
            if app.tables.actives_ready and not app.rebalancing:
                await identity.station.probe()
                await journey.station.probe()

    @Service.task
    async def _renew(self) -> None:
        while not self.should_stop:
            await app.runs.renew_lease()
            await self.sleep(RENEW_SECONDS if app.runs.lease.holds() else RETRY_SECONDS)

    async def on_stop(self) -> None:
        """Closes what lookups opened."""
        await puller.close()
        await peers.close()


upkeep = Upkeep
