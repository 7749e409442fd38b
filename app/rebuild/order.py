"""Which records may be under way together without an outcome depending on which of them is handled first.

Two records that show something new (a set of identifiers not seen before) about identifiers that may be one person wait for one
another; others do not: they touch different persons, or say again what was said. Who may be one person is told by union-find over
everything that was ever shown together, whatever the guards made of it. Journeys keep their order by themselves.
"""

from collections.abc import Sequence

REMEMBERED = 1_000_000
"""Sets of identifiers that are known to be nothing new; a forgotten one costs a wait."""


class Order:
    """Asked record by record, in the order of the log."""

    def __init__(self) -> None:
        self._leader: dict[str, str] = {}
        self._touched: set[str] = set()
        self._known: set[int] = set()

    def admits(self, keys: Sequence[str]) -> bool:
        """Whether a record with these identifiers may follow what is under way; if so, it is under way too."""
        shown = hash(tuple(keys))
        if shown in self._known:
            return True
        leaders = {self._find(key) for key in keys}
        if leaders & self._touched:
            return False
        first, *others = sorted(leaders)
        for other in others:
            self._leader[other] = first
        self._touched.add(first)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known.add(shown)
        return True

    def arrived(self) -> None:
        """Nothing is under way any more."""
        self._touched.clear()

    def _find(self, key: str) -> str:
        leader = self._leader.setdefault(key, key)
        while leader != (above := self._leader[leader]):
            self._leader[key] = leader = above
        return leader
