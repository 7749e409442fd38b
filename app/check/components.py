"""People as the components of their links, person by person: a member that no link reaches is where it does not belong."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.check.ledger import Ledger

NAME = "the members of a person are connected by links"


def unconnected(ledger: Ledger) -> Iterator[tuple[Any, ...]]:
    """Answers as those of a rule: members that are not linked with the first one, directly or not."""
    links = groupby(ledger.ask("SELECT uid, a, b FROM links ORDER BY uid"), key=itemgetter(0))
    linked_uid, linked = next(links, (None, iter(())))
    for uid, members in groupby(ledger.ask("SELECT uid, key FROM members ORDER BY uid, key"), key=itemgetter(0)):
        keys = [key for _, key in members]
        while linked_uid is not None and linked_uid < uid:
            linked_uid, linked = next(links, (None, iter(())))
        pairs = [(a, b) for _, a, b in linked] if linked_uid == uid else []
        reached = component(keys[0], pairs)
        for key in keys:
            if key not in reached:
                yield key, None, f"not one person with {keys[0]}: no link joins them", f"both with {uid}", uid


def component(start: str, pairs: list[tuple[str, str]]) -> set[str]:
    """Everything that links reach from `start`, itself included: union-find in its plainest form."""
    leader = {start: start}

    def find(one: str) -> str:
        while leader.setdefault(one, one) != one:
            one = leader[one]
        return one

    for a, b in pairs:
        leader[find(a)] = find(b)
    return {one for one in list(leader) if find(one) == find(start)}
