"""What a journey learns of who keeps which identifier: the higher custody version knows better, and a later erasure counts.

Where it turns out that an anchor came back, or that its older events are erased, what lies here is swept once more.
"""

import msgspec

from models.ids import IdentifierKey, UnifiedUserId
from models.journey import sweep
from models.journey.messages import Slice
from models.journey.outcome import Outcome
from models.journey.rows import Header
from models.journey_messages import EventPlaced, Moved


def told(header: Header, message: EventPlaced, out: Outcome) -> Header:
    """The cluster that sent an event holds its anchor: newer custody than what is known here, if the anchor came back.

    What is known to be with this very journey is here; older programs left headers that say so.
    """
    known = header.moved.get(message.key)
    if known is None or known.uid is None or (known.uid != message.uid and known.version >= message.version):
        return header
    version = max(known.version, message.version)
    back = msgspec.structs.replace(header, moved=header.moved | {message.key: Moved(None, version)})
    return back if header.sweep is None else sweep.start(message.uid, back, out)


def learn(header: Header, message: Slice, out: Outcome) -> Header:
    """Takes over custody that is newer than what is known here; what then lies in the wrong place is swept."""
    here = {key: Moved(None, version) for key, version in message.versions.items()}
    moved = newest(newest(header.moved, here), _seen_from(message.uid, message.moved))
    not_before = latest(header.not_before, message.not_before)
    if moved == header.moved and not_before == header.not_before:
        return header
    learnt = msgspec.structs.replace(header, moved=moved, not_before=not_before)
    changed = [to for key in moved if (to := sweep.keeper(learnt, key)) != sweep.keeper(header, key)]
    # What belongs here again lies here only while a sweep still gives it away; what is erased may lie where it once was.
    must_sweep = changed and (header.sweep is not None or any(isinstance(to, str) for to in changed))
    erased = [key for key, at in not_before.items() if key in header.moved and header.not_before.get(key) != at]
    return sweep.start(message.uid, learnt, out) if must_sweep or erased else learnt


def _seen_from(uid: UnifiedUserId, moved: dict[IdentifierKey, Moved]) -> dict[IdentifierKey, Moved]:
    """Another journey's opinions: what it knows to be with this one is here."""
    return {key: Moved(None, told.version) if told.uid == uid else told for key, told in moved.items()}


def newest(known: dict[IdentifierKey, Moved], news: dict[IdentifierKey, Moved]) -> dict[IdentifierKey, Moved]:
    """Of two opinions the one of the higher custody version."""
    newer = {key: moved for key, moved in news.items() if key not in known or known[key].version < moved.version}
    return known | newer


def latest(known: dict[IdentifierKey, int], news: dict[IdentifierKey, int]) -> dict[IdentifierKey, int]:
    """The last erasure of each identifier."""
    return known | {key: at for key, at in news.items() if at > known.get(key, -1)}
