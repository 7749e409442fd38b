"""What an administrator does from a page: part two identifiers, erase a person, send a rejected record again.

They become the same records in the log as requests over `/v1/`; the page then follows how it goes.
"""

from aiohttp import web

from app.console import story
from app.console.door import Door, Visit, demand_administrator
from app.console.rejected import send_again
from app.instance import app
from app.operators import place, request_id
from app.web import Refusal
from models.ids import IdentifierKey
from models.requests import Asked, ErasureAsked, UnlinkAsked

REASON_LENGTH_MAX = 500


class Action(Door):
    """Something that only administrators do."""

    async def act(self, visit: Visit, **names: str) -> web.Response:
        demand_administrator(visit)
        form = {name: str(value) for name, value in (await visit.request.post()).items()}
        return await self.done(visit, form)

    async def done(self, visit: Visit, form: dict[str, str]) -> web.Response:
        """Does it and shows how it went."""
        raise NotImplementedError


@app.page("/console/unlink")
class UnlinkAction(Action):
    """These two are two persons."""

    async def done(self, visit: Visit, form: dict[str, str]) -> web.Response:
        person = await story.person_of(visit)
        a, b = (IdentifierKey(form.get(name, "")) for name in ("a", "b"))
        members = person.cluster.content.members
        if a == b or a not in members or b not in members:
            raise Refusal("not_found", visit.text("why.left"))
        request = UnlinkAsked(request_id(), a, b, _reason(form))
        visit.about(person.uid, [a, b], request.request_id)
        return await _asked(visit, request)


@app.page("/console/erase")
class EraseAction(Action):
    """Forget this person."""

    async def done(self, visit: Visit, form: dict[str, str]) -> web.Response:
        person = await story.person_of(visit)
        key = min(person.cluster.content.members)
        request = ErasureAsked(request_id(), key, _reason(form))
        visit.about(person.uid, [key], request.request_id)
        return await _asked(visit, request)


@app.page("/console/again")
class AgainAction(Action):
    """A rejected record once more through."""

    async def done(self, visit: Visit, form: dict[str, str]) -> web.Response:
        outcome = await send_again(visit, form.get("partition", ""), form.get("offset", ""))
        return visit.show("part_again.html", outcome=outcome)


async def _asked(visit: Visit, request: Asked) -> web.Response:
    await place(request)
    return visit.show("part_request.html", request_id=request.request_id, state="accepted", detail="")


def _reason(form: dict[str, str]) -> str:
    return form.get("reason", "").strip()[:REASON_LENGTH_MAX]
