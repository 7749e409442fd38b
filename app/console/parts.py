"""Parts of pages, for the scripts of the pages: more rows, what is new, a path, a preview, how a request goes."""

from typing import Any

import msgspec
from aiohttp import web

from app.console import story
from app.console.door import Door, Visit
from app.console.house import house, own
from app.console.preview import erasing, parting
from app.console.rejected import rejected_records
from app.instance import app
from app.lookups import Lookup, people
from app.views import channels
from app.web import Refusal
from models.identity.explain import explain
from models.ids import IdentifierKey


@app.page("/console/part/rows")
class RowsPart(Door):
    """The next rows of a journey."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        person = await story.person_of(visit)
        page = await story.shown(visit, person, await people.story(person))
        return visit.show("part_rows.html", page=page)


@app.page("/console/part/live")
class LivePart(Door):
    """Head and newest rows when anything changed since `version`; else 204."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        person = await story.person_of(visit)
        told = await people.story(person)
        if (now := story.version(person, told)) == visit.query("version"):
            return web.Response(status=204, headers={"Cache-Control": "no-store"})
        page = await story.shown(visit, person, told)
        return visit.show("part_live.html", **story.head(visit, person, told), page=page, version=now)


@app.page("/console/part/path")
class PathPart(Door):
    """Why identifiers `a` and `b` (keys) are one person."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        person = await story.person_of(visit)
        a, b = IdentifierKey(visit.query("a")), IdentifierKey(visit.query("b"))
        visit.about(person.uid, [a, b])
        members = person.cluster.content.members
        if a not in members or b not in members:
            raise Refusal("not_found", visit.text("why.left"))
        steps, keys = explain(person.cluster, a, b) or (), {member.name: key for key, member in members.items()}
        shown: dict[str, Any] = {"uid": person.uid, "mask": story.mask_of(visit, person)}
        return visit.show("part_path.html", steps=steps, keys=keys, a=a, b=b, **shown)


@app.page("/console/part/preview")
class PreviewPart(Door):
    """What an unlink of `a` and `b`, or an erasure, would do."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        person = await story.person_of(visit)
        a, b = IdentifierKey(visit.query("a")), IdentifierKey(visit.query("b"))
        visit.about(person.uid)
        shown: dict[str, Any] = {"uid": person.uid, "mask": story.mask_of(visit, person)}
        if not a:
            told = await people.story(person)
            covered = erasing(person.uid, person.cluster)
            return visit.show("part_preview_erasure.html", covered=covered, events=told.summary.events, **shown)
        parted = parting(person.uid, person.cluster, a, b)
        if parted is None:
            raise Refusal("not_found", visit.text("why.left"))
        return visit.show("part_preview_unlink.html", parted=parted, a=a, b=b, **shown)


@app.page("/console/part/request")
class RequestPart(Door):
    """How a request goes."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        row = await people.request(visit.query("request"))
        if row is None:
            raise Refusal("not_found", visit.text("request.unknown"))
        return visit.show("part_request.html", request_id=visit.query("request"), state=row.state, detail=row.detail)


@app.page("/console/part/house")
class HousePart(Door):
    """The numbers of the house as they are now."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        return visit.show("part_house.html", house=await house())


@app.page("/console/part/coverage")
class CoveragePart(Door):
    """Which channels bring events; asked for by itself, since counting a day takes its time."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        return visit.show("part_coverage.html", coverage=await channels.document())


@app.page("/console/part/rejected")
class RejectedPart(Door):
    """The newest rejected records of a reason, as they came; for administrators."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        return visit.show("part_rejected.html", records=await rejected_records(visit), reason=visit.query("reason"))


@app.page("/_peer/house")
class PeerHouse(Lookup):
    """What this worker knows of its own speed; for other workers."""

    async def get(self, request: web.Request) -> web.Response:
        return web.Response(body=msgspec.msgpack.encode(own()))
