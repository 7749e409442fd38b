"""A visitor of three channels, who is known to be one person by the last event: what lookups are asked about."""

from typing import Any

from tests.real.crowd import Behaviour

T0 = 1_780_000_000_123
COOKIE = ("anonymous_id", "a/b?c=1&d#e 客户😀%2F")
PHONE = ("phone", "+8613800138000")
DEVICE = ("device_id", "SN/0001")


def behaviour(number: int, channel: str, event: str, *names: tuple[str, str], **more: Any) -> Behaviour:
    """The event of minute `number`."""
    return Behaviour(channel, f"e{number}", event, T0 + number * 60_000, names, more)


VISIT = behaviour(1, "web", "page_viewed", COOKIE, context={"page": {"url": "https://shop.example.com/cars/1"}})
CART = behaviour(2, "app", "addCart", ("phone", "138 0013 8000"), DEVICE, properties={"sku": "车", "price": 1.5})
CALL = behaviour(0, "hotline", "message_sent", ("phone", "0086-138-0013-8000"), traits={"city": "Foshan", "age": 3})
JOIN = behaviour(3, "web", "login", COOKIE, ("phone", "+86 138 0013 8000"), traits={"city": "佛山", "age": None})
