"""An identifier that parted, was erased with its fragment, and was born again in the journey it left."""

import msgspec
import pytest

from models.ids import IdentifierKey, UnifiedUserId
from models.journey import JourneyMessage, handle
from models.journey.messages import Slice, SweepOn
from models.journey.rows import Header, header_key
from models.journey_messages import JourneySplit
from tests.models.journey.making import carried, made, placed
from tests.models.journey.mutants import RISING
from tests.models.journey.shelf import Shelf

KEY = IdentifierKey("k")


def parted() -> Shelf:
    """The journey `w` after `k` left it for `f` with custody 3."""
    shelf = Shelf()
    handle(JourneySplit(UnifiedUserId("w"), UnifiedUserId("f"), {KEY: 3}), shelf)
    handle(SweepOn(UnifiedUserId("w"), 1), shelf)
    return shelf


def test_an_event_of_the_time_before_goes_on_to_the_fragment() -> None:
    shelf = parted()
    event = msgspec.structs.replace(placed("w", made("e", 1)), version=2)
    assert [message.uid for message in handle(event, shelf).messages] == ["f"]


def test_an_event_of_its_new_life_stays() -> None:
    shelf = parted()
    event = msgspec.structs.replace(placed("w", made("e", 1)), version=5)
    assert handle(event, shelf).messages == []
    header = shelf.rows[header_key(UnifiedUserId("w"))]
    assert isinstance(header, Header)
    assert header.summary.events == 1


def risen(told_first: bool) -> Shelf:
    """The journey `w`, which still held an old event of `k`, after `k` came back to it from a new life that began at 10."""
    shelf, w = Shelf(), UnifiedUserId("w")
    drain(placed("w", made("old", 5)), shelf)
    drain(placed("w", made("other", 6), "other"), shelf)
    handle(JourneySplit(w, UnifiedUserId("f"), {KEY: 3}), shelf)
    if told_first:
        drain(placed("w", made("new", 11), version=5), shelf)
    else:
        drain(Slice(w, UnifiedUserId("n"), "1", (carried(made("new", 11)),), {KEY: 5}), shelf)
    drain(Slice(w, UnifiedUserId("n"), "", (), {KEY: 5}, last=True, not_before={KEY: 10}), shelf)
    return shelf


def drain(message: JourneyMessage, shelf: Shelf) -> None:
    """Handles a message and all that the journey then tells itself."""
    waiting = [message]
    while waiting:
        waiting += [told for told in handle(waiting.pop(0), shelf).messages if told.uid == message.uid]


@pytest.mark.parametrize("told_first", [True, False])
def test_what_was_erased_does_not_come_back_with_its_identifier(told_first: bool) -> None:
    shelf, w = risen(told_first), UnifiedUserId("w")
    assert shelf.ids(w) == ["other", "new"]
    header = shelf.known(w)
    assert header.sweep is None
    assert header.summary.events == 2


@pytest.mark.parametrize("name", RISING)
def test_each_rule_of_rising_is_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, rule, mutant = RISING[name]
    monkeypatch.setattr(module, rule, mutant)
    assert "old" in [event.event_id for event in risen(told_first=False).events(UnifiedUserId("w"))]
