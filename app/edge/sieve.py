"""The verdict on a line, by the rules of the centre: an event that is to be sent, or the reason why it is not.

What is kept is the line itself, with an id, so that it may be sent twice, and with the time that it has now, so that it may
be sent late. Of the rules that need more than the event only repeated clicks are asked for here (`app/edge/spool.py`).
"""

import secrets
from hashlib import blake2b
from typing import NamedTuple

from app.config import Channel, Config, policy_of
from models.arrival import as_it_came
from models.canonical import named
from models.event import Rejected
from models.parse import Position, parse
from models.surrogates import mended

_HERE = Position("edge", -1, -1)


class Kept(NamedTuple):
    """An event: `id` is the same for the same event, `raw` is sent; of a click, what it is compared by."""

    id: bytes
    raw: bytes
    click: str | None = None
    occurred_at_ms: int = 0


class Sieve:
    """Judges the lines of one channel."""

    def __init__(self, config: Config, channel: Channel) -> None:
        self._policy = policy_of(config, channel)

    def judge(self, line: bytes, now_ms: int) -> Kept | str:
        """What is kept of a line, or the reason why nothing is."""
        policy = self._policy
        raw = mended(line) if policy.places else named(mended(line), policy.channel, secrets.token_hex(16))
        event = parse(raw, policy, _HERE, now_ms)
        if isinstance(event, Rejected):
            return event.reason
        nameless = event.event_id == f"{_HERE.topic}:{_HERE.partition}:{_HERE.offset}"
        name = raw if nameless else event.event_id.encode()
        digest = blake2b(policy.channel.encode() + b"\0" + name, digest_size=16).digest()
        click = None if event.click is None else event.click.subject
        return Kept(digest, as_it_came(raw, policy.places, policy.zone, now_ms), click, event.occurred_at)
