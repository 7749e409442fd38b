"""Naive truth: what the answers must be, computed all at once in the plainest way."""

from collections.abc import Hashable, Iterable
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def components(names: Iterable[Name], links: Iterable[tuple[Name, Name]]) -> set[frozenset[Name]]:
    """Who belongs together: everybody that is reached from somebody over links, by flood fill."""
    near: dict[Name, set[Name]] = {name: set() for name in names}
    for a, b in links:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found: set[frozenset[Name]] = set()
    left = set(near)
    while left:
        flooded = flood(near, left.pop())
        left -= flooded
        found.add(flooded)
    return found


def flood(near: dict[Name, set[Name]], start: Name) -> frozenset[Name]:
    """Everything that is reached from `start`, itself included."""
    reached, edge = {start}, [start]
    while edge:
        edge = [other for name in edge for other in near[name] if other not in reached]
        reached.update(edge)
    return frozenset(reached)


Link = frozenset[str]


class People:
    """What one person is when one thing happens after the other: the rules in their plainest form, on names alone.

    Names are `namespace:value`. No clusters, no messages, no uids: a graph of links, and what operators said of pairs.
    """

    def __init__(self, limits: dict[str, int] | None = None, cluster_limit: int = 100, counted_max: int = 16) -> None:
        self.limits, self.cluster_limit, self.counted_max = limits or {}, cluster_limit, counted_max
        self.known: set[str] = set()
        self.links: dict[Link, dict[str, int]] = {}
        """Each with its events and when they occurred."""
        self.refused: dict[Link, str] = {}
        self.parted: dict[Link, tuple[int, bool]] = {}
        self.erased_at: dict[str, int] = {}

    def persons(self) -> set[frozenset[str]]:
        """Who belongs together."""
        return components(self.known, [(min(link), max(link)) for link in self.links])

    def person(self, name: str) -> frozenset[str]:
        """Everybody who is one with `name`, itself included."""
        return next((one for one in self.persons() if name in one), frozenset({name}))

    def event(self, event_id: str, names: list[str], at: int) -> None:
        """An event: its identifiers are known from now on, and linked with the first, where nothing forbids it."""
        if not self._appears(names[0], at):
            return
        for i, other in enumerate(names[1:], start=1):
            pair = frozenset({names[0], other})
            if len(pair) < 2 or not self._appears(other, at) or pair in self.refused:
                continue
            if self._is_surplus(names[: i + 1]) and other not in self.person(names[0]):
                self.refused[pair] = "limit"
            else:
                self._link(pair, event_id, at)

    def link(self, a: str, b: str, request: str, at: int) -> None:
        """An operator's link: forgets an unlink and a refusal of the pair, then links like an event."""
        pair = frozenset({a, b})
        if pair in self.parted and self.parted[pair][0] > at:
            return
        self.parted[pair] = (at, False)
        if self._appears(min(a, b), at) and self._appears(max(a, b), at):
            self.refused.pop(pair, None)
            self._link(pair, request, at)

    def unlink(self, a: str, b: str, at: int) -> None:
        """An operator parts two: the weakest link of the shortest path goes, until none joins them."""
        pair = frozenset({a, b})
        if pair in self.parted and self.parted[pair][0] > at:
            return
        self.parted[pair] = (at, True)
        while b in self.person(a):
            weakest = min(self._path(min(a, b), max(a, b)), key=self._strength)
            del self.links[weakest]
            self.refused[weakest] = "kept_apart"

    def erase(self, name: str, at: int) -> None:
        """A person is forgotten, with everything up to now."""
        for one in self.person(name):
            self.erased_at[one] = max(at, self.erased_at.get(one, -1))
            self.known.discard(one)
            self.links = {link: events for link, events in self.links.items() if one not in link}
            self.refused = {link: reason for link, reason in self.refused.items() if one not in link}

    def _is_surplus(self, names: list[str]) -> bool:
        """Whether the last one is one value too many of its namespace in one event."""
        namespace = names[-1].partition(":")[0]
        values = [name for name in names if name.partition(":")[0] == namespace]
        return len(values) > self.limits.get(namespace, len(values))

    def _appears(self, name: str, at: int) -> bool:
        if at <= self.erased_at.get(name, -1):
            return False
        self.known.add(name)
        return True

    def _link(self, pair: Link, event_id: str, at: int) -> None:
        a, b = pair
        if b in self.person(a):
            events = self.links.setdefault(pair, {})
            if len(events) < self.counted_max:
                events.setdefault(event_id, at)
            return
        joint = self.person(a) | self.person(b)
        reason = self._objection(joint)
        if reason is None:
            self.links[pair] = {event_id: at}
        else:
            self.refused[pair] = reason

    def _objection(self, joint: frozenset[str]) -> str | None:
        if any(on and pair <= joint for pair, (_, on) in self.parted.items()):
            return "kept_apart"
        for namespace, limit in self.limits.items():
            if sum(name.startswith(namespace + ":") for name in joint) > limit:
                return "limit"
        return "cluster_limit" if len(joint) > self.cluster_limit else None

    def _path(self, a: str, b: str) -> list[Link]:
        """The links of the shortest path with the smallest names, by trying all paths in order of length and name."""
        paths = [[a]]
        while True:
            found = sorted(path for path in paths if path[-1] == b)
            if found:
                return [frozenset(step) for step in zip(found[0], found[0][1:], strict=False)]
            near = {path[-1]: sorted(n for link in self.links if path[-1] in link for n in link - {path[-1]}) for path in paths}
            paths = [[*path, name] for path in paths for name in near[path[-1]] if name not in path]

    def _strength(self, link: Link) -> tuple[int, int, list[str]]:
        events = self.links[link]
        return len(events), -min(events.values()), sorted(link)


def repetitions(clicks: Iterable[tuple[int, str, Hashable, int]]) -> dict[str, list[str]]:
    """The clicks that count, each with those that only repeat it. A click is its time, its id, what it is compared by, and a gap.

    One after the other as they happened: a click counts unless the last one that does lies less than the gap before it.
    """
    last: dict[Hashable, tuple[int, str]] = {}
    found: dict[str, list[str]] = {}
    for at, name, subject, gap in sorted(clicks, key=lambda click: click[:2]):
        if subject in last and at - last[subject][0] < gap:
            found[last[subject][1]].append(name)
        else:
            last[subject] = at, name
            found[name] = []
    return found
