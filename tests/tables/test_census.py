"""The census of clusters: the same after every batch as counted anew, and told without a look at all of them."""

import random
import time
from collections.abc import Mapping

import pytest

from app.runtime.rows import Partition, stamp
from models.identity.rows import Cluster, Proposal, Row
from models.identity.values import Bond, Content, Evidence, Member, Sighting
from models.ids import EventId, IdentifierKey, UnifiedUserId
from tables.census import Census, Frozen, Standstill
from tables.codec import codec
from tables.identity import CLUSTERS

A, B = (Sighting(IdentifierKey(f"user_id:{name}"), "user_id", name) for name in "ab")
MEMBER = Member(0, "user_id", "a", 0)


def frozen(since: int, pending: int = 0, members: int = 1) -> Cluster:
    """One that waits since then, with so many messages."""
    bond = Bond(A, B, Evidence(0, EventId("e"), "web", since))
    waits: tuple[object, ...] = tuple(f"waits {n}" for n in range(pending))
    content = Content({IdentifierKey(str(n)): MEMBER for n in range(members)})
    return Cluster("frozen", content, proposal=Proposal(UnifiedUserId("elder"), bond), pending=waits)  # type: ignore[arg-type]


LIVE = Cluster("live", Content({A.key: MEMBER, B.key: MEMBER}))


def key(name: str) -> bytes:
    return CLUSTERS + name.encode()


def plainly(rows: Mapping[bytes, Row]) -> tuple[Standstill, list[tuple[str, Frozen]]]:
    """What the census should say, by a look at all."""
    waiting = [
        (name.decode().removeprefix("c|"), Frozen(row.proposal.bond.evidence.received_at, len(row.pending)))
        for name, row in rows.items()
        if isinstance(row, Cluster) and row.proposal is not None
    ]
    waiting.sort(key=lambda item: (item[1], item[0]))
    since = waiting[0][1].since if waiting else None
    return Standstill(len(waiting), sum(one.pending for _, one in waiting), since), waiting


def test_of_nothing_nothing_waits() -> None:
    census = Census()
    assert (census.standstill([0]), census.waiting([0], 5)) == (Standstill(0, 0, None), [])


@pytest.mark.parametrize("seed", range(20))
def test_it_says_what_a_look_at_all_clusters_says(seed: int) -> None:
    choose, census, rows = random.Random(seed), Census(), dict[bytes, Row]()
    for _ in range(200):
        name = key(f"u{choose.randrange(30):02}")
        partition = name[-1] % 2
        after = choose.choice([None, LIVE, frozen(choose.randrange(5_000), choose.randrange(3))])
        change = [(name, rows.get(name), after)]
        census.count(partition, change)
        if choose.random() < 0.2 and after is not None:
            census.count(partition, [(name, after, after)])  # it stays as it is
        rows.pop(name, None)
        if after is not None:
            rows[name] = after
        expected, waiting = plainly(rows)
        assert census.standstill([0, 1]) == expected
        for limit in (1, 4, 100):
            assert census.waiting([0, 1], limit) == waiting[:limit]


async def test_a_partition_is_counted_anew_when_it_goes_live(partition: Partition) -> None:
    held = {key("a"): frozen(7_000), key("b"): frozen(3_000, members=3), key("c"): LIVE}
    partition.write([(name, stamp(1) + codec.encode(name, row)) for name, row in held.items()], 1)
    census = Census()
    census.count(0, [(key("old"), None, frozen(1))])
    await census.begin(0, partition)
    assert (census.standstill([0]), census.standstill([1])) == (Standstill(2, 0, 3_000), Standstill(0, 0, None))
    assert census.sizes([0]) == {1: 1, 2: 1, 3: 1}


def test_told_twice_changes_nothing() -> None:
    census = Census()
    for _ in range(2):
        census.count(0, [(key("a"), None, frozen(1_500, pending=2))])
    assert census.standstill([0]) == Standstill(1, 2, 1_500)
    for _ in range(2):
        census.count(0, [(key("a"), frozen(1_500, pending=2), LIVE)])
    assert census.standstill([0]) == Standstill(0, 0, None)


def test_a_question_about_a_large_backlog_does_not_look_at_all_of_it() -> None:
    census = Census()
    census.count(0, ((key(f"u{n}"), None, frozen(n)) for n in range(200_000)))

    def asked() -> float:
        begun = time.perf_counter()
        census.standstill([0])
        census.waiting([0], 20)
        return time.perf_counter() - begun

    assert min(asked() for _ in range(5)) < 0.01
