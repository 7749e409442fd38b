"""Stages: an event enters the first one that it matches, whatever happened before."""

import pytest

from models.event import Event
from models.ids import EventId
from models.stages import Stage, stage_of
from tests.models.journey.making import made

STAGES = (
    Stage("vip", frozenset({"order_placed"}), properties=(("level", "gold"), ("paid", True))),
    Stage("shop", frozenset({"order_placed", "visit"}), channels=frozenset({"store"})),
    Stage("order", frozenset({"order_placed"})),
)


@pytest.mark.parametrize(
    ("event", "stage"),
    [
        (made("e", 1, name="order_placed"), "order"),
        (made("e", 1, name="order_placed", channel="store"), "shop"),
        (made("e", 1, name="visit", channel="store"), "shop"),
        (made("e", 1, name="visit", channel="web"), None),
        (made("e", 1, name="page_viewed"), None),
        (made("e", 1, name="order_placed", properties={"level": "gold", "paid": True, "x": 1}), "vip"),
        (made("e", 1, name="order_placed", properties={"level": "gold"}), "order"),
        (made("e", 1, name="order_placed", properties={"level": "silver", "paid": True}), "order"),
        (made("e", 1, name="order_placed", properties={"level": "gold", "paid": True}, channel="store"), "vip"),
    ],
)
def test_the_first_stage_that_matches_by_name_channel_and_properties(event: Event, stage: str | None) -> None:
    assert stage_of(event, STAGES) == stage


def test_without_stages_there_is_none() -> None:
    assert stage_of(made("e", 1), ()) is None


def test_a_number_beyond_all_bounds_says_nothing() -> None:
    stage = Stage("paid", frozenset({"order"}), properties=(("status", "ok"),))
    event = Event(EventId("e"), "order", "web", 0, 0, (), properties=b'{"status": "ok", "n": 1e999}')
    assert stage_of(event, (stage,)) is None


def test_true_is_not_one() -> None:
    stage = Stage("paid", frozenset({"order"}), properties=(("paid", 1),))
    event = Event(EventId("e"), "order", "web", 0, 0, (), properties=b'{"paid": true}')
    assert stage_of(event, (stage,)) is None
