"""Retention: entries that occurred too long ago leave the timeline; what they taught stays in the header (`aged`).

A timer outside sends `RetentionDue` to a partition from time to time; no handler reads a clock. The partition remembers the
newest limit and looks through its journeys, some at a time; each that holds older entries is told `Age` and removes them in
steps, so that other people's messages come between.

Once an entry and its id are gone, nobody can tell its repetition from something new. Therefore:
- an event that reaches its journey from before the partition's limit is not entered and counted nowhere; it is reported
  (`Outcome.late`), whether it is a repetition or was only late;
- an event of a hand-over was entered in time, so it is taken over whatever its age, and ages here later;
- a journey keeps old entries while it gives events away, and until the second timer after it was given some: then nobody
  else still holds one of them, and nothing that was counted here can be handed over once more.
A retry that gives an aged event a time behind the limit is taken for another event; senders give a retry its first time.
"""

import msgspec

from models.event import Event
from models.journey import clicks
from models.journey.messages import Age, RetentionDue
from models.journey.outcome import Outcome, Rows
from models.journey.rows import LIMIT, TIMELINES, Entry, Header, id_key, place_of, timeline, uid_of
from models.journey.summary import Place, fold

STEP_ENTRIES = 500
STEP_JOURNEYS = 20
_decode = msgspec.msgpack.Decoder(Event).decode


def due(message: RetentionDue, rows: Rows, out: Outcome) -> None:
    """Tells the next journeys of the partition to age. Seen twice, they are told twice, to no effect."""
    limit = _limit(rows)
    if limit is None or limit < message.before:
        rows.put(LIMIT, message.before)
    uid, old = message.uid, list[Age]()
    for _ in range(STEP_JOURNEYS):
        found = rows.scan(TIMELINES, timeline(uid) + b"\xff" if uid else None, 1)
        if not found:
            break
        key, _ = found[0]
        uid = uid_of(key)
        if place_of(key)[0] < message.before:
            old.append(Age(uid, message.before))
    else:
        # Before the others: to look through timelines from which a batch has deleted much takes longer.
        out.messages.append(RetentionDue(uid, message.before))
    out.messages += old


def is_too_late(occurred_at: int, rows: Rows) -> bool:
    """Whether an event is older than what this partition lists."""
    limit = _limit(rows)
    return limit is not None and occurred_at < limit


def age(message: Age, header: Header, rows: Rows, out: Outcome) -> Header:
    """Removes the oldest entries if they are too old. Seen twice, there are none any more."""
    if header.state != "live" or header.sweep is not None:
        return header
    if header.rested is None:
        return msgspec.structs.replace(header, rested=message.before)
    if message.before <= header.rested:
        return header
    entries = rows.scan(timeline(message.uid), None, STEP_ENTRIES)
    old = [(key, entry) for key, entry in entries if place_of(key)[0] < message.before]
    aged = header.aged
    for key, entry in old:
        assert isinstance(entry, Entry)
        aged = aged if entry.is_repeat else fold(aged, _decode(entry.body))
        if entry.subject:
            clicks.age(message.uid, Place(*place_of(key)), entry, rows)
            continue
        rows.delete(key)
        rows.delete(id_key(message.uid, place_of(key)[1]))
    if not old:
        return header
    if len(old) == STEP_ENTRIES:
        out.messages.append(message)
    return msgspec.structs.replace(header, aged=aged, listed_since=later(header.listed_since, message.before))


def later(a: int | None, b: int | None) -> int | None:
    """Of two journeys that become one: since when events are listed."""
    return max((at for at in (a, b) if at is not None), default=None)


def _limit(rows: Rows) -> int | None:
    limit = rows.get(LIMIT)
    assert limit is None or isinstance(limit, int)
    return limit
