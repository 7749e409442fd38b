"""The bodies of operator requests: what they hold, and one sentence for what is none."""

from typing import TypeVar

import msgspec

from app.web import Refusal

_PHONE = '{"namespace": "phone", "value": "138 0013 8000"}'
_MAIL = '{"namespace": "email", "value": "li@example.com"}'
_REASON = 'a value is text or a whole number, and "reason" may be added, as text'


class Named(msgspec.Struct, frozen=True):
    """An identifier in a body."""

    namespace: str
    value: str | int


class PairBody(msgspec.Struct, frozen=True):
    """The body of a link or unlink."""

    a: Named
    b: Named
    reason: str = ""


class ErasureBody(msgspec.Struct, frozen=True):
    """The body of an erasure."""

    namespace: str
    value: str | int
    reason: str = ""


T = TypeVar("T")

_pair = msgspec.json.Decoder(PairBody)
_erasure = msgspec.json.Decoder(ErasureBody)


def pair(raw: bytes) -> PairBody:
    """Of a link or unlink. Raises Refusal."""
    return _read(raw, _pair, f'{{"a": {_PHONE}, "b": {_MAIL}}}')


def erasure(raw: bytes) -> ErasureBody:
    """Of an erasure. Raises Refusal."""
    return _read(raw, _erasure, _PHONE)


def _read(raw: bytes, decoder: msgspec.json.Decoder[T], example: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal("bad_request", f"the body is JSON like {example}: {_REASON}") from None
