"""JSON in the language of somebody else's SDK, decoded totally: any bytes give a value of the wanted type or a verdict."""

from typing import Any, TypeVar

import msgspec

from models.event import Rejected

Decoded = TypeVar("Decoded")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are no JSON, are nested too deeply, or hold what is not wanted."""

_NO_JSON = Rejected("not_json", "a message is one JSON object in UTF-8, with numbers that a computer can hold")
_NO_OBJECT = Rejected("not_an_object", "a message is one JSON object, not another JSON value")


def message(decoder: msgspec.json.Decoder[Decoded], raw: bytes | msgspec.Raw) -> Decoded | Rejected:
    """The message that `raw` holds; the fields of `decoder`'s type have any type, so only the whole can be wrong."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return _NO_JSON if bytes(raw).lstrip().startswith(b"{") else _NO_OBJECT
    except UNREADABLE:
        return _NO_JSON


def part(decoder: msgspec.json.Decoder[Any], raw: bytes | msgspec.Raw, otherwise: Any) -> Any:
    """A part of a message; one that cannot be read says nothing, and is `otherwise`."""
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return otherwise
