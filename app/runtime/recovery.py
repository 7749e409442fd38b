"""How far a worker is in reading its rows back. Faust knows what is left, and not what there was."""

from collections.abc import Mapping
from typing import NamedTuple

from faust.tables.manager import TableManager
from faust.types import TP

from app.runtime.app import App


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
    """Watches Faust's recovery: the most that was ever left is what there was, so it is asked from the beginning on."""

    def __init__(self, app: App) -> None:
        self._app, self._total = app, 0

    def progress(self) -> Progress | None:
        """None while nothing is being recovered."""
        if not self._app.in_recovery:
            self._total = 0
            return None
        left = self._left()
        self._total = max(self._total, left)
        return Progress(left, self._total) if self._total else None

    def _left(self) -> int:
        tables = self._app.tables
        assert isinstance(tables, TableManager)
        ends = tables.recovery.active_highwaters
        # None until it is known how far the rows on the disk are; Faust's types do not say so
        reached: Mapping[TP, int | None] = tables.recovery.active_offsets
        return sum(max(0, end - at) for tp, end in ends.items() if (at := reached[tp]) is not None)
