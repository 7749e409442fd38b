"""The load: behaviour as a web shop writes it, the same every time; about 330 bytes an event."""

import json
from typing import Any

BEGIN_MS = 1_710_000_000_000
EVENTS_PER_PERSON = 10
NAMES = ("page_viewed", "product_viewed", "add_to_cart", "search", "page_viewed")
REFERRER = "https://shop.example/catalogue/lamps?" + "sort=newest&page=2&colour=warm-white&"


def linking(count: int) -> list[bytes]:
    """Everybody's first ten events, in turns; one of them, at another time for each, names the account: a new link."""
    people = max(1, count // EVENTS_PER_PERSON)
    return [_event("first", i, i % people, (i // people - i) % EVENTS_PER_PERSON == 0) for i in range(count)]


def steady(count: int, known: int) -> list[bytes]:
    """More from the people of `linking(known)`: every tenth event names the account that is known already."""
    people = max(1, known // EVENTS_PER_PERSON)
    return [_event("then", i, i % people, (i // people - i) % EVENTS_PER_PERSON == 0) for i in range(count)]


def paced(count: int, known: int, series: str) -> list[tuple[str, bytes]]:
    """(event id, record) of the people of `linking(known)`, for a series with a name of its own."""
    people = max(1, known // EVENTS_PER_PERSON)
    return [(_id(series, i), _event(series, i, i % people, False)) for i in range(count)]


def _id(series: str, number: int) -> str:
    return f"{series}-{number:08d}"


def _event(series: str, number: int, person: int, names_account: bool) -> bytes:
    identifiers = {"anonymous_id": f"session-{person:06d}"} | ({"user_id": f"account-{person:06d}"} if names_account else {})
    event: dict[str, Any] = {
        "event_id": _id(series, number),
        "event": NAMES[number % len(NAMES)],
        "occurred_at": BEGIN_MS + number * 1_000 + (0 if series == "first" else 86_400_000 * 30),
        "identifiers": identifiers,
        "properties": {"number": number, "path": f"/lamps/{number % 500}", "price": number % 97},
        "context": {"page": {"url": f"https://shop.example/lamps/{number % 500}", "referrer": REFERRER}},
    }
    return json.dumps(event).encode()
