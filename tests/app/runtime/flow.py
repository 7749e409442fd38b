"""Simple actors for the real stages: shoppers who place orders, and shops that confirm them.

raw order -> relay -> shopper (notes it, asks the shop, sometimes reminds a friend) -> shop (keeps it in a list, confirms)
-> shopper (strikes it off the open ones). Every row lists the numbers of the orders it has seen, so that what is lost
or doubled shows.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from app.runtime.durable import Record
from app.runtime.overlay import Overlay
from app.runtime.packs import place
from app.runtime.rows import Partition
from app.runtime.stage import Message, Sent

PARTITIONS = 2
SHOPPERS, SHOPS = "shoppers", "shops"
Orders = tuple[int, ...]


class Order(msgspec.Struct, frozen=True, array_like=True, tag="order"):
    """A shopper ordered something."""

    number: int
    shopper: str


class Reminder(msgspec.Struct, frozen=True, array_like=True, tag="reminder"):
    """A shopper hears of another's order."""

    number: int
    shopper: str


class Confirmed(msgspec.Struct, frozen=True, array_like=True, tag="confirmed"):
    """The shop has the order."""

    number: int
    shopper: str


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A shop is asked for an order."""

    number: int
    shop: str
    shopper: str


ShopperMessage = Order | Reminder | Confirmed


class Codec:
    """Rows are tuples of order numbers."""

    def encode(self, key: bytes, row: Orders) -> bytes:
        """MessagePack."""
        return msgspec.msgpack.encode(row)

    def returns(self, key: bytes) -> bool:
        return True

    def decode(self, key: bytes, body: bytes) -> Orders:
        """MessagePack."""
        return msgspec.msgpack.decode(body, type=tuple[int, ...])


def shop_of(number: int) -> str:
    """Who serves an order."""
    return f"shop{number % 3}"


def friend_of(shopper: str) -> str:
    """Who is reminded."""
    return f"friend of {shopper}"


def poisonous(number: int) -> bool:
    """Whether the shopper cannot handle the order."""
    return number % 11 == 7


def relay(record: Any) -> Iterator[Sent]:
    """A raw order to its shopper."""
    order = msgspec.msgpack.decode(record.value, type=Order)
    yield Message(SHOPPERS, order.shopper, order)


def refuse(record: Any, why: str) -> Record:
    """Tells why an order could not be read."""
    return Record("rejected", None, record.value, (("why", why.encode()),))


class Shoppers:
    """`s|` has all orders of a shopper, `o|` each open one, `r|` those of which a friend heard, `c|` the confirmed ones."""

    def handle(self, message: ShopperMessage, rows: Overlay[Orders]) -> Iterator[Sent]:
        """One message."""
        match message:
            case Order(number, shopper):
                note(rows, f"s|{shopper}", number)
                rows.put(f"o|{number}".encode(), (number,))
                yield Message(SHOPS, shop_of(number), Asked(number, shop_of(number), shopper))
                if number % 4 == 0:
                    yield Message(SHOPPERS, friend_of(shopper), Reminder(number, friend_of(shopper)))
                if poisonous(number):
                    raise ValueError("an order that nobody understands")
            case Reminder(number, shopper):
                note(rows, f"r|{shopper}", number)
            case Confirmed(number, shopper):
                note(rows, f"c|{shopper}", number)
                rows.delete(f"o|{number}".encode())

    def reject(self, body: bytes, partition: int, offset: int, why: str) -> Record:
        """Tells why."""
        return Record("rejected", None, body, (("why", why.encode()),))


class Shops:
    """`e|shop|number` for each order, `n|shop` how many they are."""

    def handle(self, message: Asked, rows: Overlay[Orders]) -> Iterator[Sent]:
        """One order."""
        rows.put(f"e|{message.shop}|{message.number:06}".encode(), (message.number,))
        rows.put(f"n|{message.shop}".encode(), (len(rows.scan(f"e|{message.shop}|".encode())),))
        note(rows, f"l|{message.shop}", message.number)
        yield Message(SHOPPERS, message.shopper, Confirmed(message.number, message.shopper))

    def reject(self, body: bytes, partition: int, offset: int, why: str) -> Record:
        """Tells why."""
        return Record("rejected", None, body, (("why", why.encode()),))


def note(rows: Overlay[Orders], key: str, number: int) -> None:
    """Adds a number to a list; twice, if it comes twice."""
    rows.put(key.encode(), ((rows.get(key.encode()) or ()) + (number,)))


def expected(orders: Iterator[Order] | list[Order]) -> dict[str, Orders]:
    """The living lists at rest, each sorted: what every order leaves when it is handled once."""
    lists: dict[str, list[int]] = {}
    for number, shopper in ((order.number, order.shopper) for order in orders if not poisonous(order.number)):
        shop = shop_of(number)
        for key in (f"s|{shopper}", f"c|{shopper}", f"l|{shop}", f"e|{shop}|{number:06}"):
            lists.setdefault(key, []).append(number)
        if number % 4 == 0:
            lists.setdefault(f"r|{friend_of(shopper)}", []).append(number)
        lists[f"n|{shop}"] = [len(lists[f"l|{shop}"])]
    return {key: tuple(sorted(numbers)) for key, numbers in lists.items()}


def found(partitions: list[Partition] | list[Any]) -> dict[str, Orders]:
    """The living lists of all partitions, each sorted."""
    lists: dict[str, Orders] = {}
    for partition in partitions:
        for prefix in (b"s|", b"o|", b"r|", b"c|", b"e|", b"n|", b"l|"):
            for key, body in partition.bodies(prefix):
                lists[key.decode()] = tuple(sorted(Codec().decode(key, body)))
    return lists


def placed(order: Order) -> int:
    """The partition of the raw topic: any will do, it is not that of the shopper."""
    return place(f"raw {order.number}", PARTITIONS)
