"""The routes of a worker in OpenAPI 3.1, for people who write clients; a test holds it against the routes that are served."""

from collections.abc import Sequence
from typing import Any

_IDENTIFIER = [("namespace", "a declared namespace"), ("value", "the identifier, percent-encoded; read like those of events")]
_UID = [("uid", "a unified user id; one that was absorbed answers through its survivor")]
_ZONE = ("tz", "time zone in which times are shown, like Asia/Shanghai; default: the configuration's")
_PAGE = [
    ("from", "time, inclusive"),
    ("to", "time, exclusive"),
    ("channel", "only these channels; repeatable"),
    ("event", "only these events; repeatable"),
    ("order", "asc (default) or desc"),
    ("limit", "1 to 1000, default 100"),
    ("cursor", "`next` of the page before"),
]


_ERROR = {"description": "error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
_NAMED = {
    "type": "object",
    "required": ["namespace", "value"],
    "properties": {"namespace": {"type": "string"}, "value": {"type": ["string", "integer"]}},
}


def _operation(summary: str, path: Sequence[tuple[str, str]], query: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    parameters = [{"name": n, "in": "path", "required": True, "description": d, "schema": {"type": "string"}} for n, d in path]
    asked = [*query, _ZONE] if path in (_IDENTIFIER, _UID) else query
    parameters += [{"name": n, "in": "query", "description": d, "schema": {"type": "string"}} for n, d in asked]
    return {"get": {"summary": summary, "parameters": parameters, "responses": {"200": {"description": "ok"}, "default": _ERROR}}}


def _request(summary: str, body: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}}
    responses = {"202": {"description": "request_id of what is now in the log"}, "default": _ERROR}
    return {"post": {"summary": summary, "requestBody": {"required": True, "content": content}, "responses": responses}}


OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Onetrail lookups", "version": "1"},
    "security": [{"token": []}],
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        "schemas": {
            "PairBody": {
                "type": "object",
                "required": ["a", "b"],
                "properties": {"a": _NAMED, "b": _NAMED, "reason": {"type": "string"}},
            },
            "ErasureBody": _NAMED,
            "Error": {
                "type": "object",
                "properties": {
                    "error": {"type": "object", "properties": {"code": {"type": "string"}, "message": {"type": "string"}}}
                },
            },
        },
    },
    "paths": {
        "/v1/identities/{namespace}/{value}": _operation("who has this identifier", _IDENTIFIER),
        "/v1/identities/{namespace}/{value}/history": _operation(
            "whose this identifier was", _IDENTIFIER, [("at", "time: whose it was then")]
        ),
        "/v1/identities/{namespace}/{value}/explain": _operation(
            "why two identifiers are one person", _IDENTIFIER, [("to", "namespace:value")]
        ),
        "/v1/users/{uid}": _operation("the profile of a unified user", _UID),
        "/v1/users/{uid}/journey": _operation("a page of a journey", _UID, _PAGE),
        "/v1/users/{uid}/sessions": _operation(
            "what a unified user did without a long pause", _UID, [one for one in _PAGE if one[0] in ("order", "limit", "cursor")]
        ),
        "/v1/journeys/{namespace}/{value}": _operation(
            "profile and journey of whoever has this identifier",
            _IDENTIFIER,
            [*_PAGE, ("live", "true: business systems are asked too, and named in `sources`")],
        ),
        "/v1/links": _request("these two are one person", "PairBody"),
        "/v1/unlinks": _request("these two are not one person, until a link says otherwise", "PairBody"),
        "/v1/erasures": _request("forget this person", "ErasureBody"),
        "/v1/requests/{request_id}": _operation("how a request went", [("request_id", "as answered by the request")]),
        "/v1/status": _operation("how far the system is", []),
        "/v1/channels": _operation("which channels brought events in the last 24 hours, and what of them was turned away", []),
    },
}
