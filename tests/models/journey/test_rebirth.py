"""An identifier that parted, was erased with its fragment, and was born again in the journey it left."""

import msgspec

from models.ids import IdentifierKey, UnifiedUserId
from models.journey import handle
from models.journey.messages import SweepOn
from models.journey.rows import Header, header_key
from models.journey_messages import JourneySplit
from tests.models.journey.making import made, placed
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
