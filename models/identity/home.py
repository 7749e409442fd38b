"""A person who was born from an identifier has the first cluster where that identifier lies: both end in the same route.

An event that this node tells this cluster is passed to the journey in the same turn, which saves a hop through the inbox. The
rest goes through the inbox, in order: an erasure must not overtake a link. So an event may reach its journey while an erasure of
the person is on its way to the cluster, and is erased with it, as events of the person's other identifiers may be.
"""

from models.identity.messages import Deliver, Occurred
from models.identity.turn import Turn
from models.ids import IdentifierKey, UnifiedUserId, route
from models.journey_messages import EventPlaced


def pass_on(turn: Turn, uid: UnifiedUserId, message: Occurred) -> None:
    """An event goes to the cluster; one that lies here and holds the anchor passes it to its journey at once."""
    row = turn.cluster(uid) if is_at_home(uid, message.key) else None
    member = None if row is None else row.content.members.get(message.key)
    times = message.occurred_at, message.received_at
    if member is not None:
        turn.tell(EventPlaced(uid, message.key, message.event_id, *times, message.body, member.version))
    else:
        anchor = message.identifiers[0]
        turn.send(Deliver(uid, anchor, message.event_id, *times, message.channel, message.body, message.detours))


def is_at_home(uid: UnifiedUserId, key: IdentifierKey) -> bool:
    """Whether the person was born from this identifier: then its cluster lies where the identifier does."""
    return route(uid) == route(key)
