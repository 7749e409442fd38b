"""The rows of the one table, as stored: typed outside, bytes inside; the first letter of a key tells the kind."""

from models.identity.rows import Cluster, Node, PolicyRow, Request
from models.journey.rows import Entry, Header, Latest
from models.people import Row
from tables.format import Format

KINDS: dict[str, object] = {
    "n": Node,
    "c": Cluster,
    "p": PolicyRow,
    "r": Request,
    "h": Header,
    "t": Entry,
    "e": int,
    "k": int,
    "l": Latest,
    "o": int,
}
"""See `models.identity.addresses` and `models.journey.rows`."""
RETURNING = frozenset(b"ncphlo")
"""Who had one event will have another, and the guards and the limit are asked for with each; entries and their ids by a sweep at
most, requests by lookups."""


class PeopleCodec:
    """Encodes and decodes all kinds of rows."""

    def __init__(self) -> None:
        self._formats: dict[int, Format[Row]] = {ord(letter): Format(kind) for letter, kind in KINDS.items()}
        self._encode = self._formats[ord("n")].encode

    def encode(self, key: bytes, row: Row) -> bytes:
        """The body of a row."""
        return self._encode(row)

    def decode(self, key: bytes, body: bytes) -> Row:
        """The row of a body; KeyError for a key of no kind."""
        return self._formats[key[0]].decode(body)

    def returns(self, key: bytes) -> bool:
        """Whether a row of this kind is likely to be read again soon."""
        return key[0] in RETURNING


codec = PeopleCodec()
