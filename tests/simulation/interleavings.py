"""Every interleaving of a small history, not a sample: two partitions, any order of arrival, one crash anywhere.

A crash is the worst that a partition can do: of what the message at its head makes it send, a prefix arrives at each
destination, nothing is written, and the message is handled again. Equal states are visited once.
"""

from collections.abc import Iterator
from itertools import product
from operator import itemgetter
from typing import NamedTuple

import msgspec

from models.identity import handle
from models.identity.messages import IdentityMessage
from models.identity.outcome import Outcome
from models.identity.rows import Cluster, Node, Row
from models.ids import IdentifierKey
from tests.simulation.world import place_identity

PARTITIONS = 2
Queue = tuple[IdentityMessage, ...]
encode = msgspec.msgpack.Encoder().encode


class State(NamedTuple):
    """What has not arrived yet, what waits in each partition, all rows, and whether the crash has been."""

    left: Queue
    queues: tuple[Queue, ...]
    rows: dict[str, Row]
    crashed: bool


def outcomes(arrivals: Queue, crash: bool) -> tuple[list[dict[str, Row]], int]:
    """All ends that the history may come to, and how many states were visited."""
    start = State(arrivals, ((),) * PARTITIONS, {}, not crash)
    stack, visited, ends = [start], {_identity(start)}, []
    while stack:
        state = stack.pop()
        following = list(_following(state))
        if not following:
            ends.append(state.rows)
        for later in following:
            name = _identity(later)
            if name not in visited:
                visited.add(name)
                stack.append(later)
    return ends, len(visited)


def persons(rows: dict[str, Row]) -> frozenset[frozenset[IdentifierKey]]:
    """Who is one person, as lookups see it; all of them at rest, or AssertionError."""
    found: dict[str, set[IdentifierKey]] = {}
    for key, row in rows.items():
        assert not isinstance(row, Cluster) or row.state in ("live", "merged", "erased"), row.state
        if isinstance(row, Node) and row.uid is not None:
            found.setdefault(row.uid, set()).add(IdentifierKey(key[2:]))
    for uid, keys in found.items():
        cluster = rows["c|" + uid]
        assert isinstance(cluster, Cluster)
        assert cluster.content.members.keys() == keys
    return frozenset(frozenset(keys) for keys in found.values())


def _identity(state: State) -> bytes:
    return encode((state.left, state.queues, sorted(state.rows.items(), key=itemgetter(0)), state.crashed))


def _following(state: State) -> Iterator[State]:
    for i, message in enumerate(state.left):
        yield state._replace(left=state.left[:i] + state.left[i + 1 :], queues=_arrived(state.queues, (message,)))
    for index, queue in enumerate(state.queues):
        if not queue:
            continue
        outcome = handle(queue[0], state.rows.get)
        rest = (*state.queues[:index], queue[1:], *state.queues[index + 1 :])
        yield state._replace(queues=_arrived(rest, tuple(outcome.messages)), rows=state.rows | outcome.rows)
        if not state.crashed:
            yield from (state._replace(queues=queues, crashed=True) for queues in _torn(state.queues, outcome))


def _torn(queues: tuple[Queue, ...], outcome: Outcome) -> Iterator[tuple[Queue, ...]]:
    """What may have arrived when the process ended: of each destination's messages a prefix."""
    sent = [tuple(m for m in outcome.messages if place_identity(m, PARTITIONS) == i) for i in range(PARTITIONS)]
    for lengths in product(*(range(len(messages) + 1) for messages in sent)):
        yield tuple(queue + messages[:length] for queue, messages, length in zip(queues, sent, lengths, strict=True))


def _arrived(queues: tuple[Queue, ...], messages: Queue) -> tuple[Queue, ...]:
    arrived = list(queues)
    for message in messages:
        place = place_identity(message, PARTITIONS)
        arrived[place] += (message,)
    return tuple(arrived)
