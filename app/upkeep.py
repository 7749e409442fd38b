"""What a worker does from time to time beside its stages: it looks for foreign writers behind its changelogs."""

from mode import Service

from agents import identity, journey
from app.instance import app
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


upkeep = Upkeep
