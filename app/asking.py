"""What views share: identifiers as they stand in paths and bodies, and a 404 for what is not known."""

from typing import TypeVar

from app.config import namespaces_of
from app.instance import config, settings
from app.web import Refusal
from models.identity.values import Sighting
from models.ids import Identifier, IdentifierKey, key_of

T = TypeVar("T")

_namespaces = namespaces_of(config)


def sighting(namespace: str, value: object) -> Sighting:
    """An identifier read by the rules that events are read by; 400 for one that cannot exist."""
    return _sighting(namespace, value, "bad_request")


def key(namespace: str, value: object) -> IdentifierKey:
    """The key of an identifier that is looked up; 404 for one that cannot exist, since nobody has it."""
    return _sighting(namespace, value, "not_found").key


def found(thing: T | None, name: str) -> T:
    """The thing; 404 if there is none."""
    if thing is None:
        raise Refusal("not_found", f"{name} is not known")
    return thing


def _sighting(namespace: str, value: object, code: str) -> Sighting:
    if namespace not in _namespaces.rules:
        raise Refusal("bad_request", f"{namespace!r} is not a namespace of the configuration")
    identifier = _namespaces.identifier(namespace, value)
    if not isinstance(identifier, Identifier):
        raise Refusal(code, f"this value cannot be a {namespace}: {identifier}")
    return Sighting(key_of(settings.pii_key, identifier), namespace, identifier.value)
