"""HTTP lookups, as Faust web views: parse, ask, answer. They read only; whoever is asked forwards to the owner of the rows."""

from typing import Any

import faust.web
from aiohttp import web

from app.access import is_masked
from app.answers import Answers
from app.asking import found, key
from app.config import masking_of
from app.instance import PULLED, ZONE, app, config, partitions, publish, reading, settings
from app.live import Live
from app.pages import Pages
from app.people import People, Person
from app.pull import Puller, Span, tokens_of
from app.queries import is_live, journey_query, moment, once, walk_query, zone_of
from app.routing import NotReady, Peers
from app.sending import Sending
from app.tokens import peer_token
from app.web import Refusal, json_response
from models.identity.explain import explain, owner_at, refusals_of
from models.ids import IdentifierKey, UnifiedUserId, is_uid

peers = Peers(app, partitions, peer_token(settings))
people = People(peers)
puller = Puller(config.systems, tokens_of(config.systems))
live = Live(people, puller, reading, Sending(PULLED, publish), settings.pii_key)
pages = Pages(config.journey.session_gap_ms, config.journey.inferences)
answers = Answers(ZONE, [stage.name for stage in config.stages])
MASKING = masking_of(config)


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
        shown, asked = _answers(request), key(namespace, value)
        person = found(await people.by_identifier(asked), f"{namespace}:{value}")
        story = await people.story(person)
        return json_response(shown.identity(person, story.summary, await _refused(person, asked, shown)))


@app.page("/v1/identities/{namespace}/{value}/explain")
class ExplainView(Lookup):
    """Why this identifier and the one in `?to=namespace:value` are one person: a shortest path of links with evidence."""

    async def get(self, request: web.Request, namespace: str, value: str) -> web.Response:
        shown = _answers(request)
        to_namespace, colon, to_value = (once(request.query, "to") or "").partition(":")
        if not colon:
            raise Refusal("bad_request", "to is namespace:value")
        start, end = key(namespace, value), key(to_namespace, to_value)
        person = found(await people.by_identifier(start), f"{namespace}:{value}")
        found(await people.by_identifier(end), f"{to_namespace}:{to_value}")
        return json_response(shown.explanation(explain(person.cluster, start, end)))


@app.page("/v1/identities/{namespace}/{value}/history")
class HistoryView(Lookup):
    """Whose this identifier was; with `?at=`, whose it was then."""

    async def get(self, request: web.Request, namespace: str, value: str) -> web.Response:
        shown = _answers(request)
        at = moment(request.query, "at", zone_of(request.query, ZONE))
        node = found(await people.node(key(namespace, value)), f"{namespace}:{value}")
        if at is None:
            found(node.history or None, f"{namespace}:{value}")
            return json_response(shown.history(node))
        erased = node.uid is None and 0 <= node.erased_at <= at
        owner = found(None if erased else owner_at(node, at), f"{namespace}:{value} at that time")
        return json_response({"unified_user_id": owner, "at": shown.time(at)})


@app.page("/v1/users/{uid}")
class UserView(Lookup):
    """The profile of a unified user."""

    async def get(self, request: web.Request, uid: str) -> web.Response:
        shown, person = _answers(request), await _person(uid)
        story = await people.story(person)
        return json_response(shown.profile(person, story))


@app.page("/v1/users/{uid}/journey")
class JourneyView(Lookup):
    """A page of a unified user's journey."""

    async def get(self, request: web.Request, uid: str) -> web.Response:
        shown, query = _answers(request), journey_query(request.query, zone_of(request.query, ZONE))
        person = await _person(uid)
        events = people.events(await people.story(person))
        return json_response(shown.page(person, await pages.page(events, *query)))


@app.page("/v1/users/{uid}/sessions")
class SessionsView(Lookup):
    """What a unified user did without a long pause, over all channels."""

    async def get(self, request: web.Request, uid: str) -> web.Response:
        shown, query = _answers(request), walk_query(request.query)
        person = await _person(uid)
        events = people.events(await people.story(person))
        return json_response(shown.sessions(person, await pages.sessions(events, query.window, query.limit)))


@app.page("/v1/journeys/{namespace}/{value}")
class MainLookupView(Lookup):
    """The main lookup: profile and journey of whoever has this identifier."""

    async def get(self, request: web.Request, namespace: str, value: str) -> web.Response:
        shown, query = _answers(request), journey_query(request.query, zone_of(request.query, ZONE))
        asks_systems, name = is_live(request.query), f"{namespace}:{value}"
        person = found(await people.by_identifier(key(namespace, value)), name)
        if not asks_systems:
            story = await people.story(person)
            return json_response(shown.journey(person, story, await pages.page(people.events(story), *query)))
        joined = found(await live.journey(person, Span(query.window.since, query.window.before)), name)
        document = shown.journey(joined.person, joined.story, await pages.page(joined.events, *query))
        return json_response({**document, "sources": joined.sources})


def _answers(request: web.Request) -> Answers:
    return answers.shown(zone_of(request.query, ZONE), MASKING if is_masked(request) else None)


async def _person(uid: str) -> Person:
    known = await people.by_uid(UnifiedUserId(uid)) if is_uid(uid) else None
    return found(known, uid)


async def _refused(person: Person, asked: IdentifierKey, shown: Answers) -> list[dict[str, Any]]:
    """The links of this identifier that were not made, with the other end's value as long as somebody holds it."""
    return [shown.refusal(far, await _value(far), link) for far, link in refusals_of(person.cluster, asked)]


async def _value(key: IdentifierKey) -> str | None:
    holder = await people.by_identifier(key)
    member = None if holder is None else holder.cluster.content.members.get(key)
    return None if member is None else member.value
