"""The routes of the collector in OpenAPI 3.1, for people who write senders; tests send it requests that are made from this."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.collector.protocols import SEGMENT_TYPES

_VALUES: Mapping[str, Any] = {"type": ["string", "integer", "array", "null"], "items": {"type": ["string", "integer"]}}
_TIME = {"type": ["string", "number", "null"], "description": "RFC 3339, or epoch seconds or milliseconds"}
_TEXT = {"type": ["string", "null"]}
_OBJECT = {"type": ["object", "null"]}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _listed(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


SCHEMAS: Mapping[str, Any] = {
    "Event": _object(
        ("event", "identifiers"),
        event={"type": "string", "minLength": 1, "maxLength": 200},
        event_id=_TEXT,
        occurred_at=_TIME,
        sent_at=_TIME,
        time_estimated={"type": "boolean", "description": "occurred_at is a guess of whoever kept the event"},
        identifiers={"type": "object", "minProperties": 1, "additionalProperties": _VALUES},
        properties=_OBJECT,
        traits=_OBJECT,
        context=_OBJECT,
    ),
    "Message": _object(
        (),
        type={"enum": sorted(SEGMENT_TYPES)},
        event=_TEXT,
        messageId=_TEXT,
        userId=_TEXT,
        anonymousId=_TEXT,
        previousId=_TEXT,
        timestamp=_TIME,
        sentAt=_TIME,
        properties=_OBJECT,
        traits=_OBJECT,
        context=_OBJECT,
    ),
    "Batch": _object(("batch",), batch=_listed("Message"), context=_OBJECT, sentAt=_TIME, writeKey=_TEXT),
    "PosthogBatch": _object(("batch",), api_key=_TEXT, sent_at=_TIME, batch={"type": "array", "items": {"type": "object"}}),
    "SensorsForm": {
        "type": "object",
        "properties": {
            "data": {"type": "string", "description": "base64 of one message, JSON, packed with gzip or not"},
            "data_list": {"type": "string", "description": "base64 of an array of messages, packed with gzip or not"},
        },
    },
    "Summary": _object(
        ("id", "edge", "since", "until", "read", "filtered"),
        id={"type": "string", "minLength": 1, "maxLength": 100},
        edge={"type": "string", "minLength": 1, "maxLength": 100},
        since={"type": "string"},
        until={"type": "string"},
        read={"type": "integer", "minimum": 0},
        filtered={"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
    ),
    "Verdicts": _object(
        ("success", "accepted", "rejected"),
        success={"const": True},
        accepted={"type": "integer", "minimum": 0},
        rejected={"type": "array", "items": _object(("index", "reason"), index={"type": "integer"}, reason={"type": "string"})},
    ),
    "Error": _object(("error",), error=_object(("code", "message"), code={"type": "string"}, message={"type": "string"})),
}
"""What is sent and answered; more than is named here may stand in all that is sent, and is kept."""

_ERROR = {"description": "error", "content": {"application/json": {"schema": _ref("Error")}}}
_VERDICTS = {
    "description": "Kafka has every event that was accepted, and behaviour.rejected every other one",
    "content": {"application/json": {"schema": _ref("Verdicts")}},
}
_LATER = {**_ERROR, "headers": {"Retry-After": {"schema": {"type": "string"}}}}


def _posts(summary: str, schema: Mapping[str, Any], content_type: str = "application/json") -> dict[str, Any]:
    content = {content_type: {"schema": schema}}
    responses = {"200": _VERDICTS, "503": _LATER, "default": _ERROR}
    return {"post": {"summary": summary, "requestBody": {"required": True, "content": content}, "responses": responses}}


def _probe(summary: str) -> dict[str, Any]:
    return {"get": {"summary": summary, "security": [], "responses": {"200": {"description": "ok"}, "default": _ERROR}}}


OPENAPI: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Onetrail collection", "version": "1"},
    "security": [{"write_key": []}],
    "components": {
        "securitySchemes": {
            "write_key": {"type": "http", "scheme": "basic", "description": "a write key as the user name; or in the body"}
        },
        "schemas": SCHEMAS,
    },
    "paths": {
        "/v1/events": _posts("canonical events: one, an array, or one a line", {"oneOf": [_ref("Event"), _listed("Event")]}),
        "/v1/batch": _posts("a batch of Segment's messages", _ref("Batch")),
        "/v1/b": _posts("a batch of Segment's messages, as browsers call it", _ref("Batch")),
        **{
            f"/v1/{path}": _posts(f"one {kind} of Segment's", _ref("Message"))
            for kind, paths in SEGMENT_TYPES.items()
            for path in paths
        },
        "/batch": _posts("a batch of PostHog's events", _ref("PosthogBatch")),
        "/sa": _posts("messages of Sensors Analytics", _ref("SensorsForm"), "application/x-www-form-urlencoded"),
        "/v1/filtered": _posts("what an edge held back in a while", _ref("Summary")),
        "/healthz": _probe("the process lives"),
        "/readyz": _probe("Kafka can be reached"),
        "/metrics": _probe("metrics of the collector"),
        "/openapi.json": _probe("this document"),
        "/onetrail.js": _probe("the script for web pages"),
        "/v1/codeless": {
            "get": {
                "summary": "the codeless rules of a channel, for the script",
                "parameters": [{"name": "writeKey", "in": "query", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "ok"}, "default": _ERROR},
            }
        },
    },
}
DOCUMENT = msgspec.json.encode(OPENAPI)
