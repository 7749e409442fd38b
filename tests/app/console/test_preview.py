"""A preview tells what the request would do, by the rules that do it."""

from app.console.preview import erasing, parting
from models.identity.values import Absorption, Member
from tests.app.console.people import key, linked, uid_of

CHAIN = linked("user_id:1 phone:2", "user_id:1 phone:2", "phone:2 anonymous_id:3", "anonymous_id:3 device_id:4")
UID = uid_of("user_id:1")


def names(members: list[Member]) -> list[str]:
    return [member.name for member in members]


def test_the_weakest_link_is_cut_and_the_birth_keeps_the_uid() -> None:
    told = parting(UID, CHAIN, key("user_id:1"), key("device_id:4"))
    assert told is not None
    assert [{one.name, other.name} for one, other in told.cut] == [{"anonymous_id:3", "device_id:4"}]
    assert names(told.stays) == ["anonymous_id:3", "phone:2", "user_id:1"]
    assert names(told.leaves) == ["device_id:4"]


def test_every_path_is_cut() -> None:
    ring = linked("user_id:1 phone:2", "phone:2 email:3", "email:3 user_id:1")
    told = parting(UID, ring, key("user_id:1"), key("email:3"))
    assert told is not None
    assert len(told.cut) == 2


def test_there_is_no_preview_for_who_is_not_there() -> None:
    assert parting(UID, CHAIN, key("user_id:1"), key("email:5")) is None
    assert parting(UID, CHAIN, key("user_id:1"), key("user_id:1")) is None


def test_an_erasure_covers_every_identifier_and_absorbed_uid() -> None:
    (both, proof) = next(iter(CHAIN.content.links.items()))
    CHAIN.content.absorbed[uid_of("phone:2")] = Absorption(UID, both, proof.first)
    covered = erasing(UID, CHAIN)
    assert names(covered.identifiers) == ["anonymous_id:3", "device_id:4", "phone:2", "user_id:1"]
    assert covered.uids == [UID, uid_of("phone:2")]
