"""Gap filling: what must have happened stands between what did, and vanishes when it is known."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from models.event import Event
from models.inference import DAY_MS, Inferred, Rule, filled, inferred
from models.timeline import place_of
from tests.models.journey.making import made

MINUTE = 60_000
CART = Rule("cart before order", "order_placed", "add_to_cart", "product_viewed", unless=frozenset({"buy_now"}))
NAMES = {"view": "product_viewed", "cart": "add_to_cart", "order": "order_placed", "now": "buy_now", "chat": "message_sent"}


def history(text: str, **properties: Any) -> list[Event]:
    """`view 0, order 10`: what happened at which minute."""
    events = []
    for number, word in enumerate(text.split(", ")):
        name, minute = word.split()
        events.append(made(f"{number}-{name}", int(minute) * MINUTE, name=NAMES[name], properties=properties))
    return events


def found(text: str, *rules: Rule) -> list[str]:
    """The minutes and names of what is shown, inferred ones in brackets."""
    events = history(text)
    return [_word(shown) for shown in filled(events, inferred(events, rules or (CART,)))]


def _word(shown: Event | Inferred) -> str:
    event = shown.event if isinstance(shown, Inferred) else shown
    word = f"{next(short for short, name in NAMES.items() if name == event.event)} {event.occurred_at / MINUTE:g}"
    return f"[{word}]" if isinstance(shown, Inferred) else word


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ("view 0, order 10", "view 0, [cart 5], order 10"),
        ("view 0, cart 5, order 10", "view 0, cart 5, order 10"),
        ("cart 0, view 5, order 10", "cart 0, view 5, order 10"),
        ("order 10", "order 10"),
        ("cart 0, order 10", "cart 0, order 10"),
        ("view 0, now 5, order 10", "view 0, now 5, order 10"),
        ("view 0, chat 8, order 10", "view 0, chat 8, [cart 9], order 10"),
        ("view 0, view 4, order 10", "view 0, view 4, [cart 7], order 10"),
        ("view 0, order 10, order 20", "view 0, [cart 5], order 10, order 20"),
        ("view 0, cart 5, order 10, view 20, order 30", "view 0, cart 5, order 10, view 20, [cart 25], order 30"),
        ("view 0, order 10, view 20, order 30", "view 0, [cart 5], order 10, view 20, [cart 25], order 30"),
        ("order 0, view 10", "order 0, view 10"),
        ("view 7, order 7", "view 7, [cart 7], order 7"),
        ("view 0, order 1440", "view 0, [cart 720], order 1440"),
        ("view 0, order 1441", "view 0, order 1441"),
        ("view 0, cart 1, view 1000, order 1500", "view 0, cart 1, view 1000, [cart 1250], order 1500"),
    ],
)
def test_an_order_after_a_view_needs_something_in_the_cart(known: str, shown: str) -> None:
    assert ", ".join(found(known)) == shown


def test_the_inferred_event_tells_its_rule_and_between_which_it_stands() -> None:
    [view, order] = history("view 0, order 10")
    order = replace(order, channel="store", business_system="cars")
    [gap] = inferred([view, order], [CART])
    assert (gap.rule, gap.after, gap.before) == ("cart before order", view.event_id, order.event_id)
    assert (gap.event.channel, gap.event.business_system, gap.event.identifiers) == ("store", "cars", order.identifiers)
    assert gap.event.time_estimated
    assert place_of(view) < place_of(gap.event) < place_of(order)


def test_the_real_event_that_comes_late_takes_its_place() -> None:
    known = history("view 0, order 10")
    assert len(filled(known, inferred(known, [CART]))) == 3
    late = sorted([*known, made("late", 5 * MINUTE, name="add_to_cart")], key=place_of)
    assert filled(late, inferred(late, [CART])) == late


def test_a_declared_path_may_be_a_property_of_the_event() -> None:
    rule = replace(CART, unless_properties=(("path", "buy_now"), ("direct", True)))
    for properties, gaps in (({"path": "buy_now"}, 0), ({"direct": True}, 0), ({"direct": 1}, 1), ({"path": "x"}, 1), ({}, 1)):
        assert len(inferred(history("view 0, order 10", **properties), [rule])) == gaps


def test_what_was_bought_is_what_was_viewed() -> None:
    rule = replace(CART, same="product")
    [view_a, cart_b, order_a, order_b] = [
        made("1", 1, name="product_viewed", properties={"product": "a"}),
        made("2", 2, name="add_to_cart", properties={"product": "b"}),
        made("3", 3, name="order_placed", properties={"product": "a"}),
        made("4", 4, name="order_placed", properties={"product": "b"}),
    ]
    [gap] = inferred([view_a, cart_b, order_a, order_b], [rule])
    assert (gap.before, gap.event.properties) == (order_a.event_id, b'{"product":"a"}')


def test_of_several_rules_each_infers_its_own() -> None:
    payment = Rule("chat before order", "order_placed", "message_sent", "product_viewed")
    assert found("view 0, order 10", CART, payment) == ["view 0", "[cart 5]", "[chat 5]", "order 10"]


def test_without_rules_nothing_is_inferred() -> None:
    assert inferred(history("view 0, order 10"), []) == []


def test_properties_that_cannot_be_read_say_nothing() -> None:
    rule = replace(CART, same="product", unless_properties=(("path", "buy_now"),))
    events = [replace(event, properties=b'{"product": 1e999}') for event in history("view 0, order 10")]
    assert len(inferred(events, [rule])) == 1


@settings(max_examples=50)
@given(words=st.lists(st.tuples(st.sampled_from(list(NAMES)), st.integers(0, 3000)), min_size=1, max_size=14), data=st.data())
def test_a_page_in_the_middle_shows_what_the_whole_shows(words: list[tuple[str, int]], data: st.DataObject) -> None:
    words.sort(key=lambda word: word[1])
    events = sorted(history(", ".join(f"{name} {minute}" for name, minute in words)), key=place_of)
    begin = data.draw(st.integers(0, len(events) - 1))
    page = events[begin:]
    before = [event for event in events[:begin] if event.occurred_at >= page[0].occurred_at - DAY_MS]
    whole = inferred(events, [CART])
    ids = {event.event_id for event in page}
    assert inferred(page, [CART], before) == [gap for gap in whole if gap.before in ids]
    shown = [s.event if isinstance(s, Inferred) else s for s in filled(events, whole)]
    assert [event.occurred_at for event in shown] == sorted(event.occurred_at for event in shown)
    assert [event for event in shown if event in events] == events
