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
