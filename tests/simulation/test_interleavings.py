"""All orders of arrival, all interleavings of two partitions, a crash at every place: one end, whatever happened."""

import pytest

from models.identity.messages import Erase, IdentityMessage, Relink, Unlink, relink, unlink
from models.identity.values import Version
from tests.simulation.history import event, sighting
from tests.simulation.interleavings import outcomes, persons

A, B, C = "user_id:1", "phone:2", "device_id:3"
ALL = frozenset(sighting(name).key for name in (A, B, C))


def parted(a: str, b: str, at: int) -> Unlink:
    """An unlink request."""
    return unlink(sighting(a).key, sighting(b).key, Version(at, f"r{at}"))


def joined(a: str, b: str, at: int) -> Relink:
    """A link request."""
    return relink(sighting(a), sighting(b), Version(at, f"r{at}"))


@pytest.mark.parametrize(
    "history",
    [
        (event("e1", [A, B], 10), event("e2", [B, C], 20)),
        (event("e1", [A, B], 10), event("e2", [A, C], 20)),
        (event("e1", [B, A], 20), event("e2", [C, A], 10)),
        (event("e1", [A, B, C], 10),),
    ],
    ids=["chain", "star", "elder last", "one event"],
)
def test_with_a_crash_anywhere_two_events_make_one_person(history: tuple[IdentityMessage, ...]) -> None:
    ends, _ = outcomes(history, crash=True)
    assert {persons(rows) for rows in ends} == {frozenset({ALL})}


def test_three_events_in_a_ring_make_one_person() -> None:
    history = event("e1", [A, B], 10), event("e2", [B, C], 20), event("e3", [A, C], 30)
    ends, _ = outcomes(history, crash=False)
    assert {persons(rows) for rows in ends} == {frozenset({ALL})}


def test_with_a_crash_anywhere_an_unlink_parts_whether_it_comes_first_or_last() -> None:
    ends, _ = outcomes((event("e1", [A, B], 10), parted(A, B, 20)), crash=True)
    assert {persons(rows) for rows in ends} == {frozenset(frozenset({sighting(name).key}) for name in (A, B))}


def test_the_newest_request_about_a_pair_decides_in_every_order() -> None:
    ends, _ = outcomes((event("e1", [A, B], 10), parted(A, B, 20), joined(A, B, 30)), crash=False)
    assert {persons(rows) for rows in ends} == {frozenset({frozenset({sighting(A).key, sighting(B).key})})}


def test_an_unlink_of_the_ends_of_a_chain_always_parts_them() -> None:
    ends, _ = outcomes((event("e1", [A, B], 10), event("e2", [B, C], 20), parted(A, C, 30)), crash=False)
    a, c = sighting(A).key, sighting(C).key
    for rows in ends:
        assert not any({a, c} <= person for person in persons(rows))


def test_with_a_crash_anywhere_nothing_from_before_an_erasure_comes_back() -> None:
    erase = Erase(sighting(A).key, "r30", 30)
    ends, _ = outcomes((event("e1", [A, B], 10), erase), crash=True)
    for rows in ends:
        assert not any(sighting(A).key in person for person in persons(rows))
