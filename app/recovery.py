"""How far a worker is in reading its rows back: for metrics, for what it answers meanwhile, and on a line every few seconds."""

import logging
from typing import NamedTuple

from faust.tables.manager import TableManager
from mode import Service

from app.instance import app

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
LINE_SECONDS = 5.0


class Progress(NamedTuple):
    """Changelog records that are left of those that were missing at the beginning."""

    left: int
    total: int

    @property
    def part(self) -> float:
        """How much is done, 0 to 1."""
        return 1.0 - self.left / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.part:.0%} of {self.total:,} changelog records read"


class Recovery:
    """Watches Faust's recovery, which knows what is left and not what there was."""

    def __init__(self) -> None:
        self._total = 0

    def progress(self) -> Progress | None:
        """None while nothing is being recovered."""
        if not app.in_recovery:
            self._total = 0
            return None
        left = self._left()
        self._total = max(self._total, left)
        return Progress(left, self._total) if self._total else None

    def _left(self) -> int:
        tables = app.tables
        assert isinstance(tables, TableManager)
        ends, reached = tables.recovery.active_highwaters, tables.recovery.active_offsets
        return sum(max(0, end - reached[tp]) for tp, end in ends.items())


recovery = Recovery()


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
