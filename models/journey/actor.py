"""One actor for each unified user. Its cluster tells it of events, merges, splits and erasure; other journeys hand it events.

An event lies where its anchor is held: the journey forwards what belongs elsewhere. What lies in the wrong place already is
brought there by a sweep (models/journey/sweep.py), a few hundred entries at a time. Seen twice, a message changes nothing.

Of several deliveries of one event id the earliest stands, whichever comes here first: retries of an SDK carry other times.
Clicks that only repeat another are entered too, but not counted (models/journey/clicks.py).
"""

from typing import assert_never

import msgspec

from models.clicks import Click
from models.event import Event
from models.ids import IdentifierKey, UnifiedUserId
from models.journey import ageing, clicks, custody, sweep, usual
from models.journey.messages import (
    Age,
    JourneyMessage,
    Parted,
    Placed,
    Rejudge,
    RetentionDue,
    Slice,
    SliceTaken,
    SweepOn,
    ToOne,
    parted,
)
from models.journey.outcome import Outcome, Rows, StageEntered
from models.journey.rows import Entry, Header, entry_key, header_key, id_key, place_of
from models.journey.summary import EMPTY, Place, Summary, fold, join, without
from models.journey_messages import EventPlaced, JourneyClosed, JourneyErased, JourneySplit, Moved

decode_event = msgspec.msgpack.Decoder(Event).decode
NEW = Header()


def handle(message: JourneyMessage, rows: Rows) -> Outcome:
    """Applies a message to the journey it is for, or to the partition."""
    if type(message) is EventPlaced and usual.enter(message.uid, message.key, message.occurred_at, message.body, rows):
        return Outcome()
    out = Outcome()
    if isinstance(message, RetentionDue):
        ageing.due(message, rows, out)
        return out
    held = rows.get(header_key(message.uid))
    assert held is None or isinstance(held, Header)
    header = _apply(message, held or NEW, rows, out)
    if header is not held and (held is not None or header != NEW):
        rows.put(header_key(message.uid), header)
    return out


def _apply(message: ToOne, header: Header, rows: Rows, out: Outcome) -> Header:
    match message:
        case EventPlaced():
            return _event(message, header, rows, out)
        case Slice():
            return _slice(message, header, rows, out)
        case SliceTaken():
            return sweep.taken(message, header, rows, out)
        case SweepOn():
            return sweep.step(message, header, rows, out)
        case Parted():
            return _parted(message, header, out)
        case JourneyClosed():
            if header.state != "live":
                return header
            not_before = custody.latest(header.not_before, message.not_before)
            closed = msgspec.structs.replace(
                header, state="moved", into=message.into, versions=message.versions, not_before=not_before
            )
            return sweep.start_now(message.uid, closed, rows, out)
        case JourneySplit():
            return _split(message, header, out)
        case JourneyErased():
            if header.state != "live":
                return header
            erased = msgspec.structs.replace(header, state="erased", summary=EMPTY, aged=EMPTY, listed_since=None)
            return sweep.start(message.uid, erased, out)
        case Age():
            return ageing.age(message, header, rows, out)
        case Rejudge():
            return _rejudge(message, header, rows, out)
        case _:
            assert_never(message)


def _event(message: EventPlaced, header: Header, rows: Rows, out: Outcome) -> Header:
    header = custody.told(header, message, out)
    elsewhere = sweep.destination(header, message.key, message.occurred_at)
    if isinstance(elsewhere, str):
        out.messages.append(msgspec.structs.replace(message, uid=elsewhere))
        return header
    if elsewhere is sweep.GONE:
        return header
    if ageing.is_too_late(message.occurred_at, rows):
        out.late.append(message)
        return header
    return _keep(message.uid, header, Placed(message.key, message.body), rows, out)


def _slice(message: Slice, header: Header, rows: Rows, out: Outcome) -> Header:
    if header.state == "moved":
        assert header.into is not None
        moved = custody.newest(message.moved, header.moved)
        not_before = custody.latest(message.not_before, header.not_before)
        out.messages.append(msgspec.structs.replace(message, uid=header.into, moved=moved, not_before=not_before))
        return header
    if message.source not in header.done:
        header = msgspec.structs.replace(custody.learn(header, message, out), rested=None)
        for placed in message.events:
            header = _receive(message.uid, header, placed, rows, out)
        if message.last:
            header = _complete(header, message, out)
    if not message.last:
        out.messages.append(SliceTaken(message.source, message.part))
    return header


def _complete(header: Header, message: Slice, out: Outcome) -> Header:
    """A hand-over has been received in full; what is only counted comes with its end, so it comes once."""
    header = msgspec.structs.replace(header, done=tuple(sorted({*header.done, *message.done, message.source})))
    if message.listed_since is None or header.state == "erased":
        return header
    running = header.sweep
    return msgspec.structs.replace(
        header,
        summary=_entered(message.uid, header.summary, join(header.summary, message.aged), out),
        aged=join(header.aged, message.aged),
        listed_since=ageing.later(header.listed_since, message.listed_since),
        sweep=running and msgspec.structs.replace(running, summary=join(running.summary, message.aged)),
    )


def _parted(message: Parted, header: Header, out: Outcome) -> Header:
    if header.into is not None:
        out.messages.append(msgspec.structs.replace(message, uid=header.into))
        return header
    done = tuple(sorted({*header.done, parted(message.fragment)}))
    return header if done == header.done else msgspec.structs.replace(header, done=done)


def _receive(uid: UnifiedUserId, header: Header, placed: Placed, rows: Rows, out: Outcome) -> Header:
    """Enters an event of a slice. One that belongs elsewhere waits here for a sweep: it was visible, so it stays visible."""
    event = decode_event(placed.body)
    elsewhere = sweep.destination(header, placed.anchor, event.occurred_at)
    if elsewhere is sweep.GONE:
        return header
    header = _keep(uid, header, placed, rows, out)
    if not isinstance(elsewhere, str):
        return header
    event_id = event.event_id
    stands = rows.get(id_key(uid, event_id))
    assert isinstance(stands, int)
    # Slices that are under way with it must not lead to its deletion: the source may hold it no more.
    ahead = header.sweep is not None and not sweep.is_behind(header.sweep, entry_key(uid, stands, event_id))
    return header if ahead else sweep.start(uid, header, out)


def _split(message: JourneySplit, header: Header, out: Outcome) -> Header:
    if header.state != "live":
        return header
    moved = custody.newest(header.moved, {key: Moved(message.fragment, version) for key, version in message.versions.items()})
    if moved == header.moved and header.sweep is None:
        # Here nothing of it lies any more: a slice told so first, or this is heard again.
        out.messages.append(Parted(message.fragment, message.fragment))
        return header
    fragments = tuple(sorted({*header.fragments, message.fragment}))
    not_before = custody.latest(header.not_before, message.not_before)
    parting = msgspec.structs.replace(header, moved=moved, fragments=fragments, not_before=not_before)
    return parting if moved == header.moved else sweep.start(message.uid, parting, out)


def _keep(uid: UnifiedUserId, header: Header, placed: Placed, rows: Rows, out: Outcome) -> Header:
    """Enters an event, unless an earlier delivery of it stands."""
    event = decode_event(placed.body)
    stands = rows.get(id_key(uid, event.event_id))
    if stands is None:
        return _enter(uid, header, placed, event, rows, out)
    assert isinstance(stands, int)
    out.known.append(event)
    held_key = entry_key(uid, stands, event.event_id)
    held = rows.get(held_key)
    assert isinstance(held, Entry)
    if _delivery(held.anchor, held.body) <= _delivery(placed.anchor, placed.body):
        return header
    header = _leave(uid, header, held_key, held, rows, out)
    return sweep.start(uid, _enter(uid, header, placed, event, rows, out), out)


def _enter(uid: UnifiedUserId, header: Header, placed: Placed, event: Event, rows: Rows, out: Outcome) -> Header:
    if event.click is not None:
        return _enter_click(uid, header, placed, event, event.click, rows, out)
    key = entry_key(uid, event.occurred_at, event.event_id)
    rows.put(key, Entry(placed.anchor, placed.body))
    rows.put(id_key(uid, event.event_id), event.occurred_at)
    return _add(uid, header, key, placed.anchor, event, out)


def _enter_click(
    uid: UnifiedUserId, header: Header, placed: Placed, event: Event, click: Click, rows: Rows, out: Outcome
) -> Header:
    place = Place(event.occurred_at, event.event_id)
    changed = clicks.enter(uid, place, Entry(placed.anchor, placed.body, click.subject), rows)
    if not placed.told and not any(turn.place == place for turn in changed.turns):
        out.repeated.append(event)
    return _turn(uid, click.subject, header, changed, out)


def _turn(uid: UnifiedUserId, subject: str, header: Header, changed: clicks.Turns, out: Outcome) -> Header:
    """Counts the clicks that count from now on, and takes out those that only repeat another."""
    for turn in changed.turns:
        event = decode_event(turn.entry.body)
        if turn.counts:
            header = _add(uid, header, entry_key(uid, turn.place.occurred_at, turn.place.event_id), turn.entry.anchor, event, out)
        else:
            out.repeated.append(event)
            header = _without(header, event)
    if changed.rest is not None:
        out.messages.append(Rejudge(uid, subject, changed.rest, changed.until))
    # What a click taught, beside its count, is unlearnt by a sweep.
    return header if all(turn.counts for turn in changed.turns) else sweep.start(uid, header, out)


def _rejudge(message: Rejudge, header: Header, rows: Rows, out: Outcome) -> Header:
    if header.state != "live":
        clicks.end(message.uid, message.subject, rows)
        return header
    changed = clicks.settle(message.uid, message.subject, message.since, rows, message.until)
    return _turn(message.uid, message.subject, header, changed, out)


def _leave(uid: UnifiedUserId, header: Header, key: bytes, held: Entry, rows: Rows, out: Outcome) -> Header:
    """Takes out a delivery that another one stands for; what else it taught is unlearnt by the sweep that follows."""
    if not held.is_repeat:
        header = _without(header, decode_event(held.body))
    if not held.subject:
        rows.delete(key)
        return header
    place = Place(*place_of(key))
    clicks.remove(uid, place, held.subject, rows)
    return _turn(uid, held.subject, header, clicks.settle(uid, held.subject, place, rows), out)


def _without(header: Header, event: Event) -> Header:
    return header if header.state == "erased" else msgspec.structs.replace(header, summary=without(header.summary, event))


def _delivery(anchor: IdentifierKey, body: bytes) -> tuple[int, int, IdentifierKey, bytes]:
    """Orders the deliveries of one event."""
    event = decode_event(body)
    return event.received_at, event.occurred_at, anchor, body


def _add(uid: UnifiedUserId, header: Header, key: bytes, anchor: IdentifierKey, event: Event, out: Outcome) -> Header:
    if header.state == "erased":
        return header
    summary = _entered(uid, header.summary, fold(header.summary, event), out)
    running = header.sweep
    if (
        running is not None
        and sweep.is_behind(running, key)
        and sweep.destination(header, anchor, event.occurred_at) is sweep.STAYS
    ):
        running = msgspec.structs.replace(running, summary=fold(running.summary, event))
    return msgspec.structs.replace(header, summary=summary, sweep=running)


def _entered(uid: UnifiedUserId, before: Summary, after: Summary, out: Outcome) -> Summary:
    if after.stages is not before.stages:
        for stage, place in after.stages.items():
            if before.stages.get(stage) != place:
                out.entered.append(StageEntered(uid, stage, place.occurred_at, place.event_id))
    return after
