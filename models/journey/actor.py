"""One actor for each unified user. Its cluster tells it of events, merges, splits and erasure; other journeys hand it events.

An event lies where its anchor is held: the journey forwards what belongs elsewhere. What lies in the wrong place already is
brought there by a sweep (models/journey/sweep.py), a few hundred entries at a time. Seen twice, a message changes nothing.
"""

from typing import assert_never

import msgspec

from models.event import Event
from models.ids import IdentifierKey, UnifiedUserId
from models.journey import sweep
from models.journey.messages import JourneyMessage, Placed, Slice, SliceTaken, SweepOn
from models.journey.outcome import Outcome, Rows, StageEntered
from models.journey.rows import Entry, Header, entry_key, header_key, id_key
from models.journey.summary import Summary, fold, without
from models.journey_messages import EventPlaced, JourneyClosed, JourneyErased, JourneySplit, Moved

decode_event = msgspec.msgpack.Decoder(Event).decode
NEW = Header()


def handle(message: JourneyMessage, rows: Rows) -> Outcome:
    """Applies a message to the journey it is for."""
    out = Outcome()
    held = rows.get(header_key(message.uid))
    assert held is None or isinstance(held, Header)
    header = _apply(message, held or NEW, rows, out)
    if header is not held and (held is not None or header != NEW):
        rows.put(header_key(message.uid), header)
    return out


def _apply(message: JourneyMessage, header: Header, rows: Rows, out: Outcome) -> Header:
    match message:
        case EventPlaced():
            return _event(message, header, rows, out)
        case Slice():
            return _slice(message, header, rows, out)
        case SliceTaken():
            return sweep.taken(message, header, rows, out)
        case SweepOn():
            return sweep.step(message, header, rows, out)
        case JourneyClosed():
            if header.state != "live":
                return header
            closed = msgspec.structs.replace(header, state="moved", into=message.into, versions=message.versions)
            return sweep.start(message.uid, closed, out)
        case JourneySplit():
            return _split(message, header, out)
        case JourneyErased():
            if header.state != "live":
                return header
            return sweep.start(message.uid, Header(state="erased", sweeps=header.sweeps), out)
        case _:
            assert_never(message)


def _event(message: EventPlaced, header: Header, rows: Rows, out: Outcome) -> Header:
    elsewhere = sweep.destination(header, message.key)
    if isinstance(elsewhere, str):
        out.messages.append(msgspec.structs.replace(message, uid=elsewhere))
        return header
    if elsewhere is sweep.GONE:
        return header
    return _keep(message.uid, header, Placed(message.key, message.body), rows, out)


def _slice(message: Slice, header: Header, rows: Rows, out: Outcome) -> Header:
    if header.state == "moved":
        assert header.into is not None
        out.messages.append(msgspec.structs.replace(message, uid=header.into))
        return header
    if header.state == "live" and message.source not in header.done:
        header = _learn(header, message)
        for placed in message.events:
            header = _receive(message.uid, header, placed, rows, out)
        if message.last:
            done = tuple(sorted({*header.done, *message.done, message.source}))
            header = msgspec.structs.replace(header, done=done)
    if not message.last:
        out.messages.append(SliceTaken(message.source, message.part))
    return header


def _receive(uid: UnifiedUserId, header: Header, placed: Placed, rows: Rows, out: Outcome) -> Header:
    elsewhere = sweep.destination(header, placed.anchor)
    if not isinstance(elsewhere, str):
        return _keep(uid, header, placed, rows, out)
    event = decode_event(placed.body)
    times = event.occurred_at, event.received_at
    out.messages.append(EventPlaced(elsewhere, placed.anchor, event.event_id, *times, placed.body))
    return header


def _learn(header: Header, message: Slice) -> Header:
    """Takes over custody that is newer than what is known here."""
    moved = dict(header.moved)
    told: list[tuple[IdentifierKey, Moved]] = [(key, Moved(None, version)) for key, version in message.versions.items()]
    for key, news in (*told, *message.moved.items()):
        if key not in moved or moved[key].version < news.version:
            moved[key] = news
    return header if moved == header.moved else msgspec.structs.replace(header, moved=moved)


def _split(message: JourneySplit, header: Header, out: Outcome) -> Header:
    if header.state != "live":
        return header
    moved = dict(header.moved)
    for key, version in message.versions.items():
        if key not in moved or moved[key].version < version:
            moved[key] = Moved(message.fragment, version)
    if moved == header.moved:
        return header
    return sweep.start(message.uid, msgspec.structs.replace(header, moved=moved), out)


def _keep(uid: UnifiedUserId, header: Header, placed: Placed, rows: Rows, out: Outcome) -> Header:
    """Enters an event. Of two with the same id the one that occurred earlier stands."""
    event = decode_event(placed.body)
    index = id_key(uid, event.event_id)
    stands = rows.get(index)
    assert stands is None or isinstance(stands, int)
    if stands is not None and stands <= event.occurred_at:
        return header
    key = entry_key(uid, event.occurred_at, event.event_id)
    rows.put(key, Entry(placed.anchor, placed.body))
    rows.put(index, event.occurred_at)
    if stands is None:
        return _add(uid, header, key, event, out)
    rows.delete(entry_key(uid, stands, event.event_id))
    summary = _entered(uid, header.summary, without(fold(header.summary, event), event), out)
    return sweep.start(uid, msgspec.structs.replace(header, summary=summary), out)


def _add(uid: UnifiedUserId, header: Header, key: bytes, event: Event, out: Outcome) -> Header:
    summary = _entered(uid, header.summary, fold(header.summary, event), out)
    running = header.sweep
    if running is not None and key < (running.until or running.position):
        running = msgspec.structs.replace(running, summary=fold(running.summary, event))
    return msgspec.structs.replace(header, summary=summary, sweep=running)


def _entered(uid: UnifiedUserId, before: Summary, after: Summary, out: Outcome) -> Summary:
    if after.stages is not before.stages:
        for stage, place in after.stages.items():
            if before.stages.get(stage) != place:
                out.entered.append(StageEntered(uid, stage, place.occurred_at, place.event_id))
    return after
