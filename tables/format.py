"""The format of row bodies: a version byte, then MessagePack.

When a row's structure changes in a way that its defaults do not cover, VERSION rises and UPCAST gets the step from the
version before. A worker meets state that is newer than itself only after a roll-back; it says so and stops.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from app.runtime.durable import Unusable

R = TypeVar("R")

VERSION = 1
UPCAST: dict[int, Callable[[bytes], bytes]] = {}
"""From a version to the next: the body without its version byte, before and after."""


class NewerState(Unusable):
    """The state was written by a newer version of this program."""


class Format(Generic[R]):
    """Encodes and decodes the bodies of one kind of row."""

    def __init__(self, kind: Any) -> None:
        self._decode: Callable[[bytes], R] = msgspec.msgpack.Decoder(kind).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._mark = bytes([VERSION])

    def encode(self, row: object) -> bytes:
        """The body of a row."""
        return self._mark + self._encode(row)

    def decode(self, body: bytes) -> R:
        """The row of a body; NewerState when this program is too old for it."""
        version, rest = body[0], body[1:]
        while version < VERSION:
            version, rest = version + 1, UPCAST[version](rest)
        if version > VERSION:
            raise NewerState(f"the rows were written in format {version} by a newer onetrail; this one knows {VERSION} at most")
        return self._decode(rest)
