"""What this worker says of its recovery: to whoever asks it meanwhile, and on a line of the log every few seconds."""

import logging

from mode import Service

from app.instance import app
from app.runtime.recovery import Recovery

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
LINE_SECONDS = 5.0

recovery = Recovery(app)


def why_not_ready() -> str:
    """One sentence for whoever asks a worker that does not answer yet."""
    progress = recovery.progress()
    return "the worker does not own its partitions yet" + ("" if progress is None else f": {progress}")


@app.service
class RecoveryLines(Service):
    """Says on a line how far recovery is."""

    @Service.task
    async def _tell(self) -> None:
        told = 0.0
        while not self.should_stop:
            await self.sleep(LOOK_SECONDS)
            progress = recovery.progress()
            if progress is not None and self.loop.time() - told >= LINE_SECONDS:
                told = self.loop.time()
                log.info("recovering: %s", progress)
