"""Sweeps: a pass over a timeline that brings it into line with the header, a step at a time.

For each entry the header says where it belongs: here, with another journey, or nowhere. What stays is folded into a new
summary, on top of what has aged; what belongs elsewhere travels in slices and is deleted when the slice is taken; what
belongs nowhere is deleted. A merge, a split, an erasure and an event that turned out to have occurred earlier are all the
same sweep; if another of these comes while one runs, it begins again from the start.
"""

from enum import Enum
from typing import Literal

import msgspec

from models.event import Event
from models.ids import IdentifierKey, UnifiedUserId
from models.journey import clicks
from models.journey.messages import Parted, Placed, Rejudge, Slice, SliceTaken, SweepOn
from models.journey.outcome import Outcome, Rows, StageEntered
from models.journey.rows import Entry, Header, Row, Sweep, id_key, place_of, timeline
from models.journey.summary import Place, fold, without

STEP_ENTRIES = 200
SLICE_BYTES = 200_000


class Fate(Enum):
    """What becomes of an entry that goes to no other journey."""

    STAYS = 1
    GONE = 2


STAYS: Literal[Fate.STAYS] = Fate.STAYS
GONE: Literal[Fate.GONE] = Fate.GONE
_decode = msgspec.msgpack.Decoder(Event).decode


def destination(header: Header, anchor: IdentifierKey, occurred_at: int) -> UnifiedUserId | Fate:
    """Where an event belongs: another journey's uid, STAYS or GONE.

    What an erasure covers does not come back with an identifier that was born again.
    """
    return GONE if occurred_at <= header.not_before.get(anchor, -1) else keeper(header, anchor)


def keeper(header: Header, anchor: IdentifierKey) -> UnifiedUserId | Fate:
    """Where new events of this anchor belong. What parted from a person before is not absorbed or erased with it."""
    moved = header.moved.get(anchor)
    if moved is not None and moved.uid is not None and anchor not in header.versions:
        return moved.uid
    if header.into is not None:
        return header.into
    return GONE if header.state == "erased" else STAYS


def is_behind(running: Sweep, key: bytes) -> bool:
    """Whether the sweep has passed a key: it will not look at it again, or has it in a slice that is under way."""
    return key < (running.until or running.position)


def start(uid: UnifiedUserId, header: Header, out: Outcome) -> Header:
    """Begins a sweep, which goes on in a turn of its own; one that runs already begins anew."""
    begun = _begun(uid, header)
    out.messages.append(SweepOn(uid, begun.sweeps))
    return begun


def start_now(uid: UnifiedUserId, header: Header, rows: Rows, out: Outcome) -> Header:
    """Begins a sweep with its first step, so that who has few events is through with it, or has them all under way."""
    begun = _begun(uid, header)
    return step(SweepOn(uid, begun.sweeps), begun, rows, out)


def _begun(uid: UnifiedUserId, header: Header) -> Header:
    number = header.sweeps + 1
    return msgspec.structs.replace(header, sweeps=number, sweep=Sweep(number, timeline(uid), header.aged))


def step(message: SweepOn, header: Header, rows: Rows, out: Outcome) -> Header:
    """The next entries: what stays is folded, what goes is sent, what is gone is deleted."""
    running = header.sweep
    if running is None or running.number != message.number or running.waiting:
        return header
    if running.until:
        return _forget(message.uid, header, running, rows, out)
    entries = rows.scan(timeline(message.uid), running.position, STEP_ENTRIES)
    summary, going, left = running.summary, dict[UnifiedUserId, list[Placed]](), dict[str, list[Place]]()
    for key, entry in entries:
        assert isinstance(entry, Entry)
        to = destination(header, entry.anchor, place_of(key)[0])
        if to is STAYS:
            summary = summary if entry.is_repeat else fold(summary, _decode(entry.body))
        elif to is GONE:
            header = _drop(message.uid, header, key, entry, rows)
            left.setdefault(entry.subject, []).append(Place(*place_of(key)))
        else:
            assert isinstance(to, str)
            going.setdefault(to, []).append(Placed(entry.anchor, entry.body, entry.is_repeat))
    to_judge = _rejudge(message.uid, header, left, out)
    running = msgspec.structs.replace(running, summary=summary)
    if going:
        waiting = _send(message.uid, header, going, f"{running.number}/{place_of(entries[0][0])}", out)
        return _with(header, msgspec.structs.replace(running, until=_behind(entries), waiting=waiting))
    if len(entries) < STEP_ENTRIES and not to_judge:
        return _finish(message.uid, header, running, out)
    out.messages.append(message)
    return _with(header, msgspec.structs.replace(running, position=_behind(entries)))


def taken(message: SliceTaken, header: Header, rows: Rows, out: Outcome) -> Header:
    """A slice arrived; after the last one of a step its entries are deleted here."""
    running = header.sweep
    if running is None or message.part not in running.waiting:
        return header
    running = msgspec.structs.replace(running, waiting=tuple(part for part in running.waiting if part != message.part))
    return _with(header, running) if running.waiting else _forget(message.uid, header, running, rows, out)


def _forget(uid: UnifiedUserId, header: Header, running: Sweep, rows: Rows, out: Outcome) -> Header:
    """Deletes the entries of a step that belong elsewhere, then goes on.

    Events that stay may have come in between meanwhile, any number of them; so this too takes several turns if need be.
    """
    left = dict[str, list[Place]]()
    entries = rows.scan(timeline(uid), running.position, STEP_ENTRIES)
    for key, entry in entries:
        assert isinstance(entry, Entry)
        if key < running.until and destination(header, entry.anchor, place_of(key)[0]) is not STAYS:
            header = _drop(uid, header, key, entry, rows)
            left.setdefault(entry.subject, []).append(Place(*place_of(key)))
    to_judge = _rejudge(uid, header, left, out)
    seen_all = not entries or entries[-1][0] < running.until
    if seen_all and len(entries) < STEP_ENTRIES and not to_judge:
        return _finish(uid, header, running, out)
    out.messages.append(SweepOn(uid, running.number))
    if seen_all:
        return _with(header, msgspec.structs.replace(running, position=_behind(entries)))
    return _with(header, msgspec.structs.replace(running, position=running.until, until=b""))


def _behind(entries: list[tuple[bytes, Row]]) -> bytes:
    """The first key that may follow the last of some entries."""
    return entries[-1][0] + b"\0"


def _drop(uid: UnifiedUserId, header: Header, key: bytes, entry: Entry, rows: Rows) -> Header:
    if entry.subject:
        leave = clicks.remove if header.state == "live" else clicks.forget
        leave(uid, Place(*place_of(key)), entry.subject, rows)
    else:
        rows.delete(key)
        rows.delete(id_key(uid, place_of(key)[1]))
    if header.state == "erased" or entry.is_repeat:
        return header
    return msgspec.structs.replace(header, summary=without(header.summary, _decode(entry.body)))


def _rejudge(uid: UnifiedUserId, header: Header, left: dict[str, list[Place]], out: Outcome) -> bool:
    """Clicks that went may leave others that count now. A sweep ends only behind these verdicts: who ages clicks trusts them."""
    if header.state != "live":
        return False
    asked = [Rejudge(uid, subject, places[0], places[-1]) for subject, places in left.items() if subject]
    out.messages += asked
    return bool(asked)


def _send(
    uid: UnifiedUserId, header: Header, going: dict[UnifiedUserId, list[Placed]], step_name: str, out: Outcome
) -> tuple[str, ...]:
    """Slices of a step for each destination; the names of the parts that are now under way."""
    parts: list[str] = []
    for to, events in going.items():
        absorbs = to == header.into
        versions = header.versions if absorbs else {key: m.version for key, m in header.moved.items() if m.uid == to}
        moved = header.moved if absorbs else {}
        for events_cut in _cut(events):
            part = f"{step_name}/{len(parts)}"
            out.messages.append(Slice(to, uid, part, events_cut, versions, moved, not_before=header.not_before))
            parts.append(part)
    return tuple(parts)


def _cut(events: list[Placed]) -> list[tuple[Placed, ...]]:
    cuts: list[list[Placed]] = [[]]
    size = 0
    for placed in events:
        size += len(placed.body)
        if cuts[-1] and size > SLICE_BYTES:
            cuts.append([])
            size = len(placed.body)
        cuts[-1].append(placed)
    return [tuple(cut) for cut in cuts]


def _finish(uid: UnifiedUserId, header: Header, running: Sweep, out: Outcome) -> Header:
    out.messages += [Parted(fragment, fragment) for fragment in header.fragments]
    if header.state == "moved":
        assert header.into is not None
        custody, aged = (header.versions, header.moved, header.done), (header.aged, header.listed_since)
        out.messages.append(Slice(header.into, uid, "", (), *custody, True, *aged, header.not_before))
        return Header("moved", into=header.into, versions=header.versions, sweeps=header.sweeps, not_before=header.not_before)
    if header.state == "erased":
        return Header("erased", moved=header.moved, done=header.done, sweeps=header.sweeps, not_before=header.not_before)
    for stage, place in running.summary.stages.items():
        if header.summary.stages.get(stage) != place:
            out.entered.append(StageEntered(uid, stage, place.occurred_at, place.event_id))
    return msgspec.structs.replace(header, summary=running.summary, sweep=None, fragments=())


def _with(header: Header, running: Sweep) -> Header:
    return msgspec.structs.replace(header, sweep=running)


__all__ = ["GONE", "STAYS", "destination", "is_behind", "keeper", "start", "start_now", "step", "taken"]
