"""Which clicks of one device on one element count: the first, and then each that lies the gap or more behind the last that does.

The clicks of a subject are compared in the order in which they happened, so what counts follows from the clicks that are here
and not from the order in which they came. One that only repeats another stays in its timeline as an entry that is neither
shown nor counted: thus it is known when it comes twice, moves and ages with all others, and counts when what it repeated
turns out to belong elsewhere. The accepted one holds how many repeat it.

A click that is newer than all others of its subject needs no scan (`Latest`). Otherwise the verdicts are corrected from its
place on until they are as they were, some hundred clicks at a time (`Rejudge`). Of more than REPEATS_MAX repetitions of one
click the others are reported and forgotten: only beyond that does the order of arrival show, and a second delivery is
reported once more.
"""

from typing import NamedTuple

import msgspec

from models.clicks import gap_of
from models.ids import EventId, UnifiedUserId
from models.journey.outcome import Rows
from models.journey.rows import (
    REPEAT,
    Entry,
    Latest,
    click_key,
    click_place,
    clicks_of,
    entry_key,
    id_key,
    latest_key,
)
from models.journey.summary import Place

REPEATS_MAX = 100
STEP_CLICKS = 500
"""More than the clicks in front of a place that are looked at for it, which are those of two accepted ones at most."""

COUNTS, REPEATS = 1, 0
_NO_ID = EventId("")
UNKNOWN = Latest(Place(1 << 53, _NO_ID), Place(0, _NO_ID), 0)
"""In place of an end that has to be found again: no click is newer."""


class Turn(NamedTuple):
    """A click that counts from now on, or that does no longer."""

    place: Place
    entry: Entry
    counts: bool


class Turns(NamedTuple):
    """What changed, and the places from which and up to which the rest is still to be compared."""

    turns: list[Turn]
    rest: Place | None = None
    until: Place | None = None


def enter(uid: UnifiedUserId, place: Place, entry: Entry, rows: Rows) -> Turns:
    """Enters a click, as a repetition until it is known to be none."""
    latest = rows.get(latest_key(uid, entry.subject))
    assert latest is None or isinstance(latest, Latest)
    entered = msgspec.structs.replace(entry, repeats=REPEAT)
    rows.put(entry_key(uid, place.occurred_at, place.event_id), entered)
    rows.put(id_key(uid, place.event_id), place.occurred_at)
    rows.put(click_key(uid, entry.subject, place), REPEATS)
    if latest is not None and place < latest.newest:
        return settle(uid, entry.subject, place, rows)
    if latest is None or place.occurred_at - latest.accepted.occurred_at >= gap_of(entry.subject):
        rows.put(latest_key(uid, entry.subject), Latest(place, place, 0))
        return Turns([_turned(uid, entry.subject, place, rows, counts=True)])
    repeats = latest.repeats
    if repeats < REPEATS_MAX:
        repeats += 1
        _count(uid, latest.accepted, repeats, rows)
    else:
        _delete(uid, place, entry.subject, rows)
        place = latest.newest
    rows.put(latest_key(uid, entry.subject), Latest(place, latest.accepted, repeats))
    return Turns([])


def settle(uid: UnifiedUserId, subject: str, since: Place, rows: Rows, until: Place | None = None) -> Turns:
    """Corrects which clicks count, from a place on, where a click came or went; `until` is the last such place."""
    gap, last = gap_of(subject), until or since
    first = click_key(uid, subject, Place(max(0, since.occurred_at - gap + 1), _NO_ID))
    found = [(click_place(key), row == COUNTS) for key, row in rows.scan(clicks_of(uid, subject), first, STEP_CLICKS)]
    owners = [n for n, (place, counts) in enumerate(found) if counts and place < since]
    following = owners[-1] if owners else sum(place < since for place, _ in found)
    walk = _Walk(uid, subject, gap, rows)
    for place, counted in found[following:]:
        if not walk.go_on(place, counted, is_behind=place > last):
            return Turns(walk.turns)
    if len(found) == STEP_CLICKS:
        assert walk.owner is not None, "there are fewer clicks in front of a place"
        return Turns(walk.turns, walk.owner, max(walk.owner, last))
    walk.end()
    return Turns(walk.turns)


class _Walk:
    """A pass over the clicks of a subject in their order."""

    def __init__(self, uid: UnifiedUserId, subject: str, gap: int, rows: Rows) -> None:
        self._uid, self._subject, self._gap, self._rows = uid, subject, gap, rows
        self.turns: list[Turn] = []
        self.owner: Place | None = None
        """The last one that counts."""
        self._newest: Place | None = None
        self._repeats = 0

    def go_on(self, place: Place, counted: bool, is_behind: bool) -> bool:
        """The next click; False when from here on everything is as it was."""
        if self.owner is not None and place.occurred_at - self.owner.occurred_at < self._gap:
            self._repeat(place, counted)
            return True
        self._close()
        if counted and is_behind:
            return False
        self.owner = self._newest = place
        self._repeats = 0
        if not counted:
            self.turns.append(_turned(self._uid, self._subject, place, self._rows, counts=True))
        return True

    def end(self) -> None:
        """There are no more."""
        self._close()
        if self.owner is None or self._newest is None:
            _lose_end(self._uid, self._subject, self._rows)
        else:
            self._rows.put(latest_key(self._uid, self._subject), Latest(self._newest, self.owner, self._repeats))

    def _repeat(self, place: Place, counted: bool) -> None:
        if counted:
            self.turns.append(_turned(self._uid, self._subject, place, self._rows, counts=False))
        if self._repeats == REPEATS_MAX:
            _delete(self._uid, place, self._subject, self._rows)
        else:
            self._repeats += 1
            self._newest = place

    def _close(self) -> None:
        if self.owner is not None:
            _count(self._uid, self.owner, self._repeats, self._rows)


def remove(uid: UnifiedUserId, place: Place, subject: str, rows: Rows) -> None:
    """Deletes a click; what it leaves behind is for `settle`, which the caller sees to."""
    _delete(uid, place, subject, rows)
    rows.put(latest_key(uid, subject), UNKNOWN)


def forget(uid: UnifiedUserId, place: Place, subject: str, rows: Rows) -> None:
    """Deletes a click of a journey that gives all away or is erased: there nobody asks which of them count."""
    _delete(uid, place, subject, rows)
    end(uid, subject, rows)


def end(uid: UnifiedUserId, subject: str, rows: Rows) -> None:
    """In such a journey nothing is left of a subject but its clicks, as long as they are there."""
    rows.delete(latest_key(uid, subject))


def age(uid: UnifiedUserId, place: Place, entry: Entry, rows: Rows) -> None:
    """Deletes an aged click together with those that only repeat it, so that none of them ever counts in its stead."""
    _delete(uid, place, entry.subject, rows)
    if entry.is_repeat:
        return
    for key, row in rows.scan(clicks_of(uid, entry.subject), click_key(uid, entry.subject, place), REPEATS_MAX + 1):
        if row == COUNTS:
            return
        _delete(uid, click_place(key), entry.subject, rows)
    _lose_end(uid, entry.subject, rows)


def _delete(uid: UnifiedUserId, place: Place, subject: str, rows: Rows) -> None:
    rows.delete(entry_key(uid, place.occurred_at, place.event_id))
    rows.delete(id_key(uid, place.event_id))
    rows.delete(click_key(uid, subject, place))


def _lose_end(uid: UnifiedUserId, subject: str, rows: Rows) -> None:
    if rows.scan(clicks_of(uid, subject), None, 1):
        rows.put(latest_key(uid, subject), UNKNOWN)
    else:
        rows.delete(latest_key(uid, subject))


def _turned(uid: UnifiedUserId, subject: str, place: Place, rows: Rows, *, counts: bool) -> Turn:
    key = entry_key(uid, place.occurred_at, place.event_id)
    entry = rows.get(key)
    assert isinstance(entry, Entry), "a click has its entry"
    entry = msgspec.structs.replace(entry, repeats=0 if counts else REPEAT)
    rows.put(key, entry)
    rows.put(click_key(uid, subject, place), COUNTS if counts else REPEATS)
    return Turn(place, entry, counts)


def _count(uid: UnifiedUserId, place: Place, repeats: int, rows: Rows) -> None:
    key = entry_key(uid, place.occurred_at, place.event_id)
    entry = rows.get(key)
    assert isinstance(entry, Entry), "a click has its entry"
    if entry.repeats != repeats:
        rows.put(key, msgspec.structs.replace(entry, repeats=repeats))
