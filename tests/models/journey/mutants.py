"""Journeys with one rule left out each. The simulation must notice every one of them."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from models.ids import UnifiedUserId
from models.journey import actor, clicks, custody, sweep
from models.journey.messages import Parted, Placed, Slice, SliceTaken, SweepOn
from models.journey.outcome import Outcome, Rows
from models.journey.rows import Entry, Header, Latest, Sweep, latest_key
from models.journey.summary import Place, fold
from models.journey_messages import EventPlaced
from tests.models.journey.making import decode

Patch = tuple[object, str, Callable[..., Any]]
_event, _keep, _add, _receive = actor._event, actor._keep, actor._add, actor._receive
_slice, _learn = actor._slice, custody.learn
_turn, _enter = actor._turn, clicks.enter
_step, _taken, _start, _destination = sweep.step, sweep.taken, sweep.start, sweep.destination


def _keep_stragglers(message: EventPlaced, header: Header, rows: Rows, out: Outcome) -> Header:
    return _keep(message.uid, header, Placed(message.key, message.body), rows, out)


def _count_again(uid: UnifiedUserId, header: Header, placed: Placed, rows: Rows, out: Outcome) -> Header:
    after = _keep(uid, header, placed, rows, out)
    return replace(header, summary=fold(header.summary, decode(placed.body))) if after is header else after


def _lose_slice(uid: UnifiedUserId, header: Header, placed: Placed, rows: Rows, out: Outcome) -> Header:
    return header


def _pass_on(uid: UnifiedUserId, header: Header, placed: Placed, rows: Rows, out: Outcome) -> Header:
    event = decode(placed.body)
    to = sweep.destination(header, placed.anchor, event.occurred_at)
    if not isinstance(to, str):
        return _receive(uid, header, placed, rows, out)
    times = event.occurred_at, event.received_at
    out.messages.append(EventPlaced(to, placed.anchor, event.event_id, *times, placed.body))
    return header


def _trust_slices_under_way(uid: UnifiedUserId, header: Header, placed: Placed, rows: Rows, out: Outcome) -> Header:
    at = decode(placed.body).occurred_at
    if header.sweep is not None and sweep.destination(header, placed.anchor, at) is not sweep.GONE:
        return _keep(uid, header, placed, rows, out)
    return _receive(uid, header, placed, rows, out)


def _first_is_last(message: Slice, header: Header, rows: Rows, out: Outcome) -> Header:
    header = _slice(message, header, rows, out)
    return header if header.state == "moved" else replace(header, done=(*header.done, message.source))


def _hold_for_the_absorbed(message: Slice, header: Header, rows: Rows, out: Outcome) -> Header:
    if header.state != "moved":
        return _slice(message, header, rows, out)
    return replace(_slice(message, replace(header, state="live"), rows, out), state="moved")


def _learn_without_sweep(header: Header, message: Slice, out: Outcome) -> Header:
    return replace(_learn(header, message, Outcome()), sweep=header.sweep, sweeps=header.sweeps)


def _learn_nothing(header: Header, message: Slice, out: Outcome) -> Header:
    return header


def _delete_at_once(message: SweepOn, header: Header, rows: Rows, out: Outcome) -> Header:
    header = _step(message, header, rows, out)
    for part in header.sweep.waiting if header.sweep else ():
        header = _taken(SliceTaken(message.uid, part), header, rows, out)
    return header


def _any_slice_will_do(message: SliceTaken, header: Header, rows: Rows, out: Outcome) -> Header:
    waiting = header.sweep.waiting if header.sweep else ()
    return _taken(replace(message, part=waiting[0]) if waiting else message, header, rows, out)


def _never_anew(uid: UnifiedUserId, header: Header, out: Outcome) -> Header:
    return _start(uid, header, out) if header.sweep is None else header


def _parted_at_once(uid: UnifiedUserId, header: Header, out: Outcome) -> Header:
    out.messages += [Parted(fragment, fragment) for fragment in header.fragments]
    return _start(uid, header, out)


def _never_parted(message: Parted, header: Header, out: Outcome) -> Header:
    return header


def _adding(is_behind: Callable[[Sweep, bytes], bool]) -> Callable[..., Header]:
    """New events are placed before or behind a sweep by another rule."""

    def add(*given: Any) -> Header:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sweep, "is_behind", is_behind)
            return _add(*given)

    return add


def _erase_what_parted(header: Header, *event: Any) -> Any:
    return sweep.GONE if header.state == "erased" else _destination(header, *event)


def _rise_again(header: Header, anchor: Any, occurred_at: int) -> Any:
    return sweep.keeper(header, anchor)


def _forgets_erasures(header: Header, message: Slice, out: Outcome) -> Header:
    return _learn(header, replace(message, not_before={}), out)


def _verdict_kept(uid: UnifiedUserId, subject: str, since: Place, rows: Rows, until: Place | None = None) -> clicks.Turns:
    return clicks.Turns([])


def _as_it_came(uid: UnifiedUserId, place: Place, entry: Entry, rows: Rows) -> clicks.Turns:
    latest = rows.get(latest_key(uid, entry.subject))
    if isinstance(latest, Latest) and latest.newest.occurred_at < 1 << 53:
        rows.put(latest_key(uid, entry.subject), replace(latest, newest=min(latest.newest, place)))
    return _enter(uid, place, entry, rows)


def _only_the_latest(uid: UnifiedUserId, place: Place, subject: str, rows: Rows) -> None:
    clicks.forget(uid, place, subject, rows)


def _reported_quietly(uid: UnifiedUserId, subject: str, header: Header, changed: clicks.Turns, out: Outcome) -> Header:
    return _turn(uid, subject, header, changed, Outcome(out.messages, out.entered))


MUTANTS: dict[str, Patch] = {
    "keeps what is to be forwarded": (actor, "_event", _keep_stragglers),
    "counts twice": (actor, "_keep", _count_again),
    "first to arrive stands": (actor, "_delivery", lambda anchor, body: 0),
    "slice lost": (actor, "_receive", _lose_slice),
    "invisible on the way": (actor, "_receive", _pass_on),
    "deletes what only a slice under way holds": (actor, "_receive", _trust_slices_under_way),
    "done after the first slice": (actor, "_slice", _first_is_last),
    "slice kept by an absorbed journey": (actor, "_slice", _hold_for_the_absorbed),
    "learns without sweeping": (custody, "learn", _learn_without_sweep),
    "does not learn": (custody, "learn", _learn_nothing),
    "deleted before the slice was taken": (sweep, "step", _delete_at_once),
    "repeated answer taken for another": (sweep, "taken", _any_slice_will_do),
    "a running sweep is not begun anew": (sweep, "start", _never_anew),
    "new events in front of a sweep counted twice": (actor, "_add", _adding(lambda running, key: True)),
    "new events behind a sweep not counted": (actor, "_add", _adding(lambda running, key: False)),
    "new events inside a step not counted": (actor, "_add", _adding(lambda running, key: key < running.position)),
    "said to be through before it is": (sweep, "start", _parted_at_once),
    "never said to be through": (actor, "_parted", _never_parted),
    "erasure takes what had parted": (sweep, "destination", _erase_what_parted),
    "a verdict on a click stands for ever": (clicks, "settle", _verdict_kept),
    "clicks are compared in the order of arrival": (clicks, "enter", _as_it_came),
    "the end of the clicks is forgotten when one leaves": (clicks, "remove", _only_the_latest),
    "who no longer counts is not reported": (actor, "_turn", _reported_quietly),
}
RISING: dict[str, Patch] = {
    "the erased rises again": (sweep, "destination", _rise_again),
    "erasures are not handed over": (custody, "learn", _forgets_erasures),
}
"""Shown by the history in test_rebirth.py."""
