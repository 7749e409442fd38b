"""HTTP lookups, as Faust web views: parse, ask, answer. They read only; whoever is asked forwards to the owner of the rows."""

from typing import Any, TypeVar

import faust.web
import msgspec
from aiohttp import web

from app.answers import Answers
from app.config import namespaces_of
from app.instance import ZONE, app, config, identity, journey, partitions, settings
from app.metrics import exposition
from app.openapi import OPENAPI
from app.people import QUESTIONS, People, Person
from app.queries import JourneyQuery, journey_query, moment
from app.routing import NotReady, Peers
from app.status import Reporter
from app.web import Refusal, json_response
from models.identity.values import Refusal as RefusedLink
from models.ids import Identifier, IdentifierKey, UnifiedUserId, is_uid, key_of
from models.timeline import cursor

T = TypeVar("T")

peers = Peers(app, partitions, settings.read_token)
people = People(peers)
answers = Answers(ZONE, [stage.name for stage in config.stages])
reporter = Reporter(peers)
_namespaces = namespaces_of(config)
REFUSED_SHOWN_MAX = 300


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
        key = _key(namespace, value)
        person = _found(await people.by_identifier(key), f"{namespace}:{value}")
        story = await people.story(person)
        return json_response(answers.identity(person, story.summary, await _refused(person, key)))


@app.page("/v1/identities/{namespace}/{value}/history")
class HistoryView(Lookup):
    """Whose this identifier was; with `?at=`, whose it was then."""

    async def get(self, request: web.Request, namespace: str, value: str) -> web.Response:
        node = _found(await people.node(_key(namespace, value)), f"{namespace}:{value}")
        at = moment(request.query, "at", ZONE)
        if at is None:
            _found(node.history or None, f"{namespace}:{value}")
            return json_response(answers.history(node))
        owned = [a for a in node.history if a.since <= at]
        erased = node.uid is None and 0 <= node.erased_at <= at
        then = _found(None if erased or not owned else owned[-1], f"{namespace}:{value} at that time")
        return json_response({"unified_user_id": then.uid, "at": answers.time(at)})


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
        query: JourneyQuery = journey_query(request.query, ZONE)
        person = _found(await people.by_identifier(_key(namespace, value)), f"{namespace}:{value}")
        story = await people.story(person)
        events, after = await people.page(story, query.window, query.wanted, query.limit)
        return json_response(answers.journey(person, story, events, None if after is None else cursor(after)))


@app.page("/v1/status")
class StatusView(Lookup):
    """How far the whole system is."""

    async def get(self, request: web.Request) -> web.Response:
        return json_response(await reporter.document())


@app.page("/_peer/status")
class PeerStatusView(Lookup):
    """What this worker knows of its own part; for other workers."""

    async def get(self, request: web.Request) -> web.Response:
        return web.Response(body=msgspec.msgpack.encode(reporter.own()))


@app.page("/_peer/{question}/{partition}")
class PeerView(Lookup):
    """Rows of a partition that this worker owns; for other workers, one hop at most."""

    async def get(self, request: web.Request, question: str, partition: str) -> web.Response:
        asked = _found(QUESTIONS.get(question), "this question")
        found = peers.answer(asked, int(partition), bytes.fromhex(request.query["q"]))
        return web.Response(body=msgspec.msgpack.encode(found))


@app.page("/healthz")
class HealthView(faust.web.View):
    """The process lives."""

    async def get(self, request: web.Request) -> web.Response:
        return json_response({"status": "ok"})


@app.page("/readyz")
class ReadyView(faust.web.View):
    """The worker owns its partitions and answers."""

    async def get(self, request: web.Request) -> web.Response:
        if app.rebalancing or app.in_recovery or not app.tables.actives_ready or not (identity.live and journey.live):
            raise Refusal("not_ready", "the worker does not own its partitions yet; try again in a moment")
        return json_response({"status": "ready"})


@app.page("/metrics")
class MetricsView(faust.web.View):
    """Prometheus text."""

    async def get(self, request: web.Request) -> web.Response:
        body, content_type = exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})


@app.page("/openapi.json")
class OpenApiView(faust.web.View):
    """The machine-readable description of these routes."""

    async def get(self, request: web.Request) -> web.Response:
        return json_response(OPENAPI)


def _key(namespace: str, value: str) -> IdentifierKey:
    """The key of an identifier as written in a path, read by the rules that events are read by."""
    if namespace not in _namespaces.rules:
        raise Refusal("bad_request", f"{namespace} is not a namespace of the configuration")
    identifier = _namespaces.identifier(namespace, value)
    if not isinstance(identifier, Identifier):
        raise Refusal("not_found", f"no such {namespace} can exist: {identifier}")
    return key_of(settings.pii_key, identifier)


async def _person(uid: str) -> Person:
    known = await people.by_uid(UnifiedUserId(uid)) if is_uid(uid) else None
    return _found(known, uid)


def _found(thing: T | None, name: str) -> T:
    if thing is None:
        raise Refusal("not_found", f"{name} is not known")
    return thing


async def _refused(person: Person, key: IdentifierKey) -> list[dict[str, Any]]:
    """The links of this identifier that were not made, with the other end's value as long as somebody holds it."""
    refused = [(pair, link) for pair, link in sorted(person.cluster.content.refused.items()) if key in pair]
    return [await _refusal(pair[0] if pair[1] == key else pair[1], link) for pair, link in refused[:REFUSED_SHOWN_MAX]]


async def _refusal(far: IdentifierKey, link: RefusedLink) -> dict[str, Any]:
    holder = await people.by_identifier(far)
    member = None if holder is None else holder.cluster.content.members.get(far)
    return answers.refusal(far, None if member is None else member.value, link)
