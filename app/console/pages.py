"""The pages of the console, as Faust web views: find, journey, why, house, and the sign-in."""

from aiohttp import web

from app.clock import now_ms
from app.console import story
from app.console.assets import ASSETS, VERSION
from app.console.door import HOME, Door, Visit, demand_own_page, holder, is_secure, sessions
from app.console.graph import drawn
from app.console.house import house
from app.console.reasons import absorbed_by, refused_by
from app.console.session import COOKIE, HOURS
from app.instance import app
from app.lookups import people
from app.people import Person
from app.web import Refusal

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


@app.page(HOME.rstrip("/"))
class BareView(Door):
    """Without its slash, relative links would lead elsewhere."""

    needs_caller = False

    async def show(self, visit: Visit, **names: str) -> web.Response:
        raise web.HTTPFound(HOME)


@app.page(HOME)
class FindView(Door):
    """Find somebody; `?id=` is whoever that is, with the whole journey."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        if not visit.query("id"):
            return visit.show("find.html", wanted="", found=None, namespaces=list(story.namespaces.rules))
        found = await story.find(_wanted(visit))
        visit.about(None if found.only is None else found.only.uid, found.keys)
        if found.only is None:
            status = 404 if not found.persons else 200
            return visit.show(
                "find.html", status, wanted=visit.query("id"), found=found.persons, namespaces=list(story.namespaces.rules)
            )
        return await _journey(visit, found.only)


async def _journey(visit: Visit, person: Person) -> web.Response:
    told = await people.story(person)
    page = await story.shown(visit, person, told)
    return visit.show(
        "journey.html",
        **story.head(visit, person, told),
        page=page,
        version=story.version(person, told),
        wanted=_wanted(visit),
        filters=_filters(visit),
    )


@app.page("/console/why")
class WhyView(Door):
    """Why somebody is one person: identifiers, links, what was absorbed and what was refused."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        person = await story.person_of(visit)
        visit.about(person.uid)
        told = await people.story(person)
        return visit.show(
            "why.html",
            **story.head(visit, person, told),
            drawing=drawn(person.cluster),
            absorbed=absorbed_by(person),
            refused=await refused_by(person),
            wanted=_wanted(visit),
        )


@app.page("/console/house")
class HouseView(Door):
    """How the system is."""

    async def show(self, visit: Visit, **names: str) -> web.Response:
        return visit.show("house.html", house=await house())


@app.page("/console/sign-in")
class SignInView(Door):
    """A token becomes a cookie."""

    needs_caller = False

    async def show(self, visit: Visit, **names: str) -> web.Response:
        return visit.show("sign_in.html", target=HOME, failed=False)

    async def act(self, visit: Visit, **names: str) -> web.Response:
        demand_own_page(visit)
        form = await visit.request.post()
        target, token = _own(str(form.get("target", ""))), holder(str(form.get("token", "")).strip())
        if token is None:
            return visit.show("sign_in.html", 401, target=target, failed=True)
        answer = web.Response(status=303, headers={"Location": target, "Cache-Control": "no-store"})
        answer.set_cookie(
            COOKIE,
            sessions.issued(token.digest, now_ms()),
            max_age=HOURS * 3600,
            path=HOME,
            httponly=True,
            samesite="Strict",
            secure=is_secure(visit.request),
        )
        return answer


@app.page("/console/sign-out")
class SignOutView(Door):
    """The cookie is forgotten."""

    async def act(self, visit: Visit, **names: str) -> web.Response:
        answer = web.Response(status=303, headers={"Location": HOME, "Cache-Control": "no-store"})
        answer.del_cookie(COOKIE, path=HOME)
        return answer


@app.page("/console/static/{version}/{name}")
class AssetView(Door):
    """Scripts, styles and pictures; anybody may load them."""

    needs_caller = False

    async def show(self, visit: Visit, **names: str) -> web.Response:
        asset = ASSETS.get(names["name"])
        if asset is None or names["version"] != VERSION:
            raise Refusal("not_found", visit.text("refusal.page"))
        return web.Response(body=asset.body, content_type=asset.content_type, charset="utf-8", headers=FOREVER)


@app.page("/console/{page}")
class UnknownView(Door):
    """Whatever else is asked for."""

    needs_caller = False

    async def show(self, visit: Visit, **names: str) -> web.Response:
        raise Refusal("not_found", visit.text("refusal.page"))


def _wanted(visit: Visit) -> str:
    """What was typed, with the namespace that was chosen for it."""
    text, namespace = visit.query("id"), visit.query("as")
    return f"{namespace}:{text}" if namespace in story.namespaces.rules else text


def _filters(visit: Visit) -> dict[str, object]:
    query = visit.request.query
    single = {name: visit.query(name) for name in ("from", "to", "event", "order")}
    return {**single, "channels": set(query.getall("channel", []))}


def _own(target: str) -> str:
    """A page of ours to go on with; nobody else's."""
    return target if target.startswith(HOME) and "\\" not in target and "//" not in target else HOME
