"""A person as the pages show one: the head of a journey, and its pages as rows.

Who is meant, what they did and what follows from it is asked of the lookups' own functions; this only puts it side by side.
"""

import asyncio
from datetime import date, timedelta, tzinfo
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
from multidict import MultiDict

from app.answers import Answers
from app.config import namespaces_of
from app.console.door import Visit
from app.console.find import Meant, meant
from app.console.timeline import Journey, Row, rows
from app.instance import ZONE, config, settings
from app.lookups import MASKING, answers, pages, people
from app.pages import Item, Page
from app.people import Person, Story
from app.queries import JourneyQuery, journey_query, zone_of
from app.web import Refusal
from models.ids import Identifier, IdentifierKey, key_of
from models.masking import Clear
from models.timeline import cursor

PAGE_ROWS, PAGE_ROWS_MAX = 60, 600
SPEAKING = [one.name for one in config.namespaces.values() if one.normalise in ("phone", "email")]
namespaces = namespaces_of(config)


class Found(NamedTuple):
    """Who is known by a text: exactly one person, or several to choose from. `keys`: by what was looked for."""

    persons: list[tuple[Identifier | None, Person]]
    keys: list[IdentifierKey]

    @property
    def only(self) -> Person | None:
        """The person, if it is one."""
        return self.persons[0][1] if len({person.uid for _, person in self.persons}) == 1 else None


class Shown(NamedTuple):
    """A page of rows, and the cursor behind which the next one begins."""

    rows: list[Row]
    more: str | None
    shown: int


async def find(text: str) -> Found:
    """Whoever is known by this text."""
    wanted: Meant = meant(text, namespaces, SPEAKING)
    if wanted.uid is not None:
        person = await people.by_uid(wanted.uid)
        return Found([] if person is None else [(None, person)], [])
    keys = [(identifier, key_of(settings.pii_key, identifier)) for identifier in wanted.identifiers]
    found = await asyncio.gather(*(people.by_identifier(key) for _, key in keys))
    known = [(identifier, person) for (identifier, _), person in zip(keys, found, strict=True) if person is not None]
    return Found(list(known), [key for _, key in keys])


async def person_of(visit: Visit) -> Person:
    """The person of a part: by the uid that its page knows. Refusal when there is none any more."""
    found = await find(visit.query("id"))
    if found.only is None:
        raise Refusal("not_found", visit.text("find.gone"))
    return found.only


def zone(visit: Visit) -> tzinfo:
    """In which times are shown."""
    return zone_of(visit.request.query, ZONE)


def asked(visit: Visit) -> JourneyQuery:
    """Which rows: filters left empty are none, `to` is a day that is wanted too, the newest come first."""
    given = MultiDict((name, value) for name, value in visit.request.query.items() if value.strip())
    given.setdefault("order", "desc")
    given["limit"] = str(min(PAGE_ROWS_MAX, max(PAGE_ROWS, _number(given.get("count", "0")))))
    if len(day := given.get("to", "")) == len("2026-11-22"):
        given["to"] = _following(day)
    return journey_query(given, zone(visit))


async def shown(visit: Visit, person: Person, story: Story) -> Shown:
    """A page of the journey as rows."""
    query, source = asked(visit), people.events(story)
    page: Page = await pages.page(source, *query)
    names = {item.session for item in page.items}
    whole = await pages.sessions(source, query.window, max(1, len(names)))
    known = Journey({session.session: session for session in whole.items}, story.summary.stages, zone(visit))
    mask = mask_of(visit, person)
    items = [hidden(item, mask) for item in page.items] if visit.is_masked else page.items
    return Shown(list(rows(items, known)), None if page.after is None else cursor(page.after), len(page.items))


def head(visit: Visit, person: Person, story: Story) -> dict[str, Any]:
    """Who this is: names, stages with the time between them, counts."""
    summary, document = story.summary, _answers(visit).profile(person, story)
    reached = [stage.name for stage in config.stages if stage.name in summary.stages]
    entered = {name: summary.stages[name].occurred_at for name in reached}
    times = {stage["name"]: stage["entered_at"] for stage in document["stages"]}
    order = sorted(reached, key=lambda name: entered[name])
    before = dict(zip(order[1:], order, strict=False))
    stages = [
        {"name": stage.name, "at": times.get(stage.name), "since": _between(entered, before, stage.name)}
        for stage in config.stages
    ]
    most = max(summary.channels.values(), default=1)
    channels = sorted(summary.channels.items(), key=lambda item: (-item[1], item[0]))
    return {
        "person": document,
        "stages": stages,
        "channels": [(name, count, round(100 * count / most, 1)) for name, count in channels],
        "names": sorted(summary.names),
        "traits": [(name, bytes(raw).decode("utf-8", "replace")) for name, raw in document["traits"].items()],
        "settled": story.settled,
        "mask": mask_of(visit, person),
    }


def mask_of(visit: Visit, person: Person) -> Clear:
    """What hides this person's values from this visitor."""
    return _answers(visit).mask_of(person)


def hidden(item: Item, mask: Clear) -> Item:
    """An item as somebody sees it who may not see personal values."""
    event = item.event
    names = tuple(Identifier(one.namespace, mask.identifier(one.namespace, one.value)) for one in event.identifiers)
    properties, context = mask.json(event.properties), mask.json(event.context)
    return item._replace(event=msgspec.structs.replace(event, identifiers=names, properties=properties, context=context))


def version(person: Person, story: Story) -> str:
    """Changes whenever the page would: what a browser that waits compares."""
    content = person.cluster.content
    return f"{crc32(msgspec.msgpack.encode((person.uid, story, len(content.members), len(content.refused)))):08x}"


def _answers(visit: Visit) -> Answers:
    return answers.shown(zone(visit), MASKING if visit.is_masked else None)


def _between(entered: dict[str, int], before: dict[str, str], name: str) -> int | None:
    return entered[name] - entered[before[name]] if name in before else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _following(day: str) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return day
