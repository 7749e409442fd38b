"""HTTP lookups, as Faust web views: parse, ask, answer. They read only; whoever is asked forwards to the owner of the rows."""

from typing import Any

import faust.web
from aiohttp import web

from app.answers import Answers
from app.asking import found, key
from app.instance import PULLED, ZONE, app, config, partitions, publish, reading, settings
from app.live import Live
from app.people import People, Person
from app.pull import Puller, tokens_of
from app.queries import JourneyQuery, is_live, journey_query, moment
from app.routing import NotReady, Peers
from app.sending import Sending
from app.web import Refusal, json_response
from models.identity.explain import explain, owner_at, refusals_of
from models.identity.values import Refusal as RefusedLink
from models.ids import IdentifierKey, UnifiedUserId, is_uid
from models.timeline import cursor

peers = Peers(app, partitions, settings.read_token)
people = People(peers)
puller = Puller(config.systems, tokens_of(config.systems))
live = Live(people, puller, reading, Sending(PULLED, publish), settings.pii_key)
answers = Answers(ZONE, [stage.name for stage in config.stages])


class Lookup(faust.web.View):
    """A view that answers 503 while the rows it needs are on the move."""

    async def dispatch(self, request: Any) -> Any:
        try:
            return await super().dispatch(request)
        except NotReady as moving:
            raise Refusal("not_ready", f"{moving}; try again in a moment") from None


@app.page("/v1/identities/{namespace}/{value}")
class IdentityView(Lookup):
    """Who has this identifier, and what else this person is known by."""

    async def get(self, request: web.Request, namespace: str, value: str) -> web.Response:
        asked = key(namespace, value)
        person = found(await people.by_identifier(asked), f"{namespace}:{value}")
        story = await people.story(person)
        return json_response(answers.identity(person, story.summary, await _refused(person, asked)))


@app.page("/v1/identities/{namespace}/{value}/explain")
class ExplainView(Lookup):
    """Why this identifier and the one in `?to=namespace:value` are one person: a shortest path of links with evidence."""

    async def get(self, request: web.Request, namespace: str, value: str) -> web.Response:
        to_namespace, colon, to_value = request.query.get("to", "").partition(":")
        if not colon:
            raise Refusal("bad_request", "to is namespace:value")
        start, end = key(namespace, value), key(to_namespace, to_value)
        person = found(await people.by_identifier(start), f"{namespace}:{value}")
        found(await people.by_identifier(end), f"{to_namespace}:{to_value}")
        return json_response(answers.explanation(explain(person.cluster, start, end)))


@app.page("/v1/identities/{namespace}/{value}/history")
class HistoryView(Lookup):
    """Whose this identifier was; with `?at=`, whose it was then."""

    async def get(self, request: web.Request, namespace: str, value: str) -> web.Response:
        node = found(await people.node(key(namespace, value)), f"{namespace}:{value}")
        at = moment(request.query, "at", ZONE)
        if at is None:
            found(node.history or None, f"{namespace}:{value}")
            return json_response(answers.history(node))
        erased = node.uid is None and 0 <= node.erased_at <= at
        owner = found(None if erased else owner_at(node, at), f"{namespace}:{value} at that time")
        return json_response({"unified_user_id": owner, "at": answers.time(at)})


@app.page("/v1/users/{uid}")
class UserView(Lookup):
    """The profile of a unified user."""

    async def get(self, request: web.Request, uid: str) -> web.Response:
        person = await _person(uid)
        story = await people.story(person)
        return json_response(answers.profile(person, story.summary))


@app.page("/v1/users/{uid}/journey")
class JourneyView(Lookup):
    """A page of a unified user's journey."""

    async def get(self, request: web.Request, uid: str) -> web.Response:
        query = journey_query(request.query, ZONE)
        person = await _person(uid)
        story = await people.story(person)
        events, after = await people.page(story, query.window, query.wanted, query.limit)
        return json_response(answers.page(person, events, None if after is None else cursor(after)))


@app.page("/v1/journeys/{namespace}/{value}")
class MainLookupView(Lookup):
    """The main lookup: profile and journey of whoever has this identifier."""

    async def get(self, request: web.Request, namespace: str, value: str) -> web.Response:
        query, asks_systems = journey_query(request.query, ZONE), is_live(request.query)
        person = found(await people.by_identifier(key(namespace, value)), f"{namespace}:{value}")
        if asks_systems:
            return await self._live(person, query)
        story = await people.story(person)
        events, after = await people.page(story, query.window, query.wanted, query.limit)
        return json_response(answers.journey(person, story, events, None if after is None else cursor(after)))

    async def _live(self, person: Person, query: JourneyQuery) -> web.Response:
        try:
            joined = await live.journey(person, query)
        except LookupError:
            raise Refusal("not_found", "this person was erased just now") from None
        following = None if joined.after is None else cursor(joined.after)
        document = answers.journey(joined.person, joined.story, joined.events, following)
        return json_response({**document, "sources": joined.sources})


async def _person(uid: str) -> Person:
    known = await people.by_uid(UnifiedUserId(uid)) if is_uid(uid) else None
    return found(known, uid)


async def _refused(person: Person, asked: IdentifierKey) -> list[dict[str, Any]]:
    """The links of this identifier that were not made, with the other end's value as long as somebody holds it."""
    return [await _refusal(far, link) for far, link in refusals_of(person.cluster, asked)]


async def _refusal(far: IdentifierKey, link: RefusedLink) -> dict[str, Any]:
    holder = await people.by_identifier(far)
    member = None if holder is None else holder.cluster.content.members.get(far)
    return answers.refusal(far, None if member is None else member.value, link)
