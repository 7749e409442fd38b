"""The load: behaviour as a web shop writes it, the same every time; about 330 bytes an event."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

BEGIN_MS = 1_710_000_000_000
EVENTS_PER_PERSON = 10
PAUSE_MS = 2 * 3_600_000
NAMES = ("page_viewed", "product_viewed", "add_to_cart", "search", "page_viewed")
PRESENT, HOT_EVERY = 1_000, 5
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


def paced_event(series: str, number: int, known: int) -> bytes:
    """One event of a series, of one of the people of `linking(known)`."""
    return _event(series, number, number % max(1, known // EVENTS_PER_PERSON), False)


def of_one(count: int, person: int, series: str) -> list[bytes]:
    """Events of one person, who comes for ten of them every few hours, and stays for the last tenth of all: one long session."""
    pauses = [min(i, count * 9 // 10) // EVENTS_PER_PERSON for i in range(count)]
    return [_event(series, i, person, i == 0, pauses[i] * PAUSE_MS) for i in range(count)]


def newcomers(people: int) -> Iterator[bytes]:
    """One event each, which names session and account: everybody is new, with a link."""
    return (_event("came", person, person, True) for person in range(people))


def anywhere(count: int, people: int, series: str) -> list[bytes]:
    """Each event is of anybody, so that the larger the crowd, the rarer somebody comes again soon: the worst for caches."""
    choose = random.Random(series)
    return [_event(series, i, choose.randrange(people), i % EVENTS_PER_PERSON == 0) for i in range(count)]


def visits(count: int, people: int, series: str) -> list[bytes]:
    """As in a shop: so many are there at a time, and each, who may be anybody, stays for ten events."""
    choose, present = random.Random(series), min(PRESENT, people)
    crowd = [choose.randrange(people) for _ in range(count // EVENTS_PER_PERSON + present)]
    return [
        _event(series, i, crowd[i // (present * EVENTS_PER_PERSON) * present + i % present], i % EVENTS_PER_PERSON == 0)
        for i in range(count)
    ]


def hot(count: int, people: int, series: str) -> list[bytes]:
    """As `visits`, but every fifth event is of one session: a bot, a till, a shared tablet."""
    others = visits(count, people, series)
    return [_event(series, i, 0, False) if i % HOT_EVERY == 0 else event for i, event in enumerate(others)]


SHAPES: dict[str, Callable[[int, int, str], list[bytes]]] = {"anywhere": anywhere, "visits": visits, "hot": hot}


def _id(series: str, number: int) -> str:
    return f"{series}-{number:08d}"


def _event(series: str, number: int, person: int, names_account: bool, later_ms: int = 0) -> bytes:
    identifiers = {"anonymous_id": f"session-{person:06d}"} | ({"user_id": f"account-{person:06d}"} if names_account else {})
    event: dict[str, Any] = {
        "event_id": _id(series, number),
        "event": NAMES[number % len(NAMES)],
        "occurred_at": BEGIN_MS + later_ms + number * 1_000 + (0 if series == "first" else 86_400_000 * 30),
        "identifiers": identifiers,
        "properties": {"number": number, "path": f"/lamps/{number % 500}", "price": number % 97},
        "context": {"page": {"url": f"https://shop.example/lamps/{number % 500}", "referrer": REFERRER}},
    }
    return json.dumps(event).encode()
