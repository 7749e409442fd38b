"""What a worker does beside its stages: it renews its lease, from time to time it looks for foreign writers behind its
changelog and whether it makes progress, every hour it tells journeys which events are too old, and at its end it closes its
connections to others.
"""

import asyncio
import threading
from contextlib import suppress

from aiokafka.errors import KafkaError
from faust.types import TP
from mode import Service

from agents import people
from app.clock import now_ms
from app.generation import chosen, topic_of
from app.instance import INBOX, app, config, settings, table
from app.lookups import peers, puller
from app.retention import HOUR_MS, timers
from app.runtime.durable import Superseded, die
from app.runtime.lease import RENEW_SECONDS, RETRY_SECONDS
from app.runtime.standing import standings
from app.runtime.tables import PROBE_SECONDS
from app.runtime.watchdog import LOOK_SECONDS, Watchdog, end

GENERATION_SECONDS = 2.0


@app.service
class Upkeep(Service):
    """Probes; a stale writer that is found ends the process, and recovery repairs what it wrote."""

    @Service.task
    async def _probe(self) -> None:
        while not self.should_stop:
            await self.sleep(PROBE_SECONDS)
            if app.tables.actives_ready and not app.rebalancing:
                await people.station.probe()

    @Service.task
    async def _follow(self) -> None:
        """Another state was chosen: this worker ends, and starts again as one of that."""
        place = TP(topic_of(settings), 0)
        while not self.should_stop and not settings.shadow:
            await self.sleep(GENERATION_SECONDS)
            with suppress(KafkaError):
                if (await app.offsets.ends([place]))[place] == app.generation_end:
                    continue
                found = await chosen(settings)
                app.generation_end = found.end
                if found.chosen.current != settings.generation:
                    die(Superseded("another state of the log was chosen (`onetrail rebuild`)"))

    @Service.task
    async def _renew(self) -> None:
        while not self.should_stop:
            await app.runs.renew_lease()
            await self.sleep(RENEW_SECONDS if app.runs.lease.holds() else RETRY_SECONDS)

    @Service.task
    async def _retire(self) -> None:
        keep_days = config.journey.keep_days
        while keep_days is not None and not self.should_stop:
            ready = app.tables.actives_ready and not app.rebalancing and table.live
            if ready:
                await app.durable.publish([], [timers(INBOX, table.live, keep_days, now_ms())])
            await self.sleep(HOUR_MS / 1_000 if ready else RETRY_SECONDS)

    @Service.task
    async def _watch(self) -> None:
        if config.workers.stuck_seconds == 0:
            return
        dog = Watchdog(config.workers.stuck_seconds, lambda: standings(app, (table,)), end)
        threading.Thread(target=dog.guard, args=[asyncio.get_running_loop()], name="watchdog", daemon=True).start()
        while not self.should_stop:
            await dog.look()
            await self.sleep(LOOK_SECONDS)
        dog.rest()

    async def on_stop(self) -> None:
        """Closes what lookups opened."""
        await puller.close()
        await peers.close()


upkeep = Upkeep
