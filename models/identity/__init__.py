"""Who is one person: a distributed, incremental union-find over identifiers.

`handle` is the whole stage: a message and the rows it may read give rows to write and messages to send. No I/O, clock
or randomness, so the same log always gives the same persons.
"""

from collections.abc import Callable

from models.identity.messages import IdentityMessage
from models.identity.outcome import Outcome
from models.identity.rows import Row

Read = Callable[[str], Row | None]


def handle(message: IdentityMessage, read: Read) -> Outcome:
    """What comes of one message. `read` gives a row of the message's own partition by its address, or None."""
    raise NotImplementedError
