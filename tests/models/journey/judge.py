"""What must hold of journeys after every message, and what at rest."""

from models.clicks import gap_of
from models.event import Event
from models.ids import EventId, IdentifierKey, UnifiedUserId
from models.journey.rows import CLICKS, click_key, entry_key, id_key, latest_key, place_of
from models.journey.summary import Place, join
from models.timeline import merged
from tests.models.journey.shelf import Shelf, folded
from tests.models.journey.world import World
from tests.oracle import repetitions


class Judge:
    """Watches a world and says what is wrong."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._held: set[str] = set()
        """Events that were in some journey."""
        self._shown: set[str] = set()
        """Events that were visible to the person whose they are."""
        self._buried: set[str] = set()
        """Events that an erasure covers, that were seen nowhere after journeys had heard all that happened until then."""
        self._timelines: dict[UnifiedUserId, list[Event]] = {}
        self._on_the_way: set[IdentifierKey] = set()
        """Identifiers that parted from somebody while other hand-overs were under way. Their events travel after them from
        person to person, and lookups look back one step; they may be hidden for a moment, but always lie in a journey."""

    def look(self) -> None:
        """After every message: nothing that was there is gone or hidden, nothing is twice, counts are true."""
        world = self._world
        while world.changed:
            uid = world.changed.pop()
            self._timelines[uid] = true_to_itself(world, uid)
        self._on_the_way = self._on_the_way | world.parted if world.is_busy() else set()
        views = {cluster.uid: self._view(cluster.uid) for cluster in world.custody.live()}
        alive = set(world.alive())
        held = {event.event_id for events in self._timelines.values() for event in events} | world.retention.names()
        shown = {name for name in alive if name in views[world.custody.holders[world.anchor(name)]]}
        asked = {name for name in alive if world.anchor(name) not in self._on_the_way} - world.retention.names()
        seen = set().union(*views.values())
        assert not seen & self._buried, f"visible again after an erasure: {sorted(seen & self._buried)}"
        self._buried |= set() if world.has_news() else world.dead - seen
        assert self._held & alive <= held, f"in no journey any more: {sorted(self._held & alive - held)}"
        assert self._shown & asked <= shown, f"no longer visible: {sorted(self._shown & asked - shown)}"
        self._held, self._shown = self._held | held, shown

    def rest(self) -> None:
        """When all is quiet: each event in the journey of its anchor's holder and in no other; nothing is under way."""
        world = self._world
        expected = {uid: self._expected(uid) for uid in world.custody.clusters}
        for uid, cluster in world.custody.clusters.items():
            shelf = world.shelf(uid)
            found, counting = shelf.events(uid), repetitions_of(expected[uid])
            shown = [event for event in expected[uid] if event.event_id in counting]
            assert shelf.held(uid) == expected[uid], f"{uid} has {names(shelf.held(uid))} instead of {names(expected[uid])}"
            assert found == shown, f"{uid} shows {names(found)} instead of {names(shown)}"
            repeats = {name: len(some) for name, some in counting.items() if some}
            assert shelf.repeats(uid) == repeats, f"{uid} counts repetitions {shelf.repeats(uid)} instead of {repeats}"
            told = {name for some in counting.values() for name in some}
            assert told <= world.reported, f"repeated and never reported: {sorted(told - world.reported)}"
            header = shelf.header(uid)
            if header is not None:
                assert header.sweep is None, f"{uid} still sweeps"
                aged = world.retention.remembered({uid, *cluster.absorbed} if cluster.state == "live" else set())
                assert header.aged == aged, f"{uid} remembers {header.aged} instead of {aged} of what is no longer listed"
                summary = join(aged, folded(found))
                assert header.summary == summary, f"{uid} remembers {header.summary} instead of {summary}"
                if cluster.state == "live":
                    assert set(header.done) >= self._with_journey(cluster.absorbed), f"{uid} waits for {cluster.absorbed}"
            if cluster.state == "live":
                assert world.is_settled(cluster), f"{uid} still reads {world.uids_of(cluster)}"

    def _view(self, uid: UnifiedUserId) -> set[str]:
        world = self._world
        cluster = world.custody.clusters[uid]
        shown = merged([self._timelines.get(one, []) for one in world.uids_of(cluster)])
        assert len(shown) == len({event.event_id for event in shown}), f"{uid} shows an event twice"
        anchors = dict.fromkeys(cluster.members, -1) | cluster.not_before
        return {
            e.event_id
            for e in shown
            if world.is_settled(cluster) or e.occurred_at > anchors.get(world.anchor(e.event_id), e.occurred_at)
        }

    def _expected(self, uid: UnifiedUserId) -> list[Event]:
        world = self._world
        mine = [world.deliveries[name] for name in world.alive() if world.custody.holders[world.anchor(name)] == uid]
        entered = [[event for _, event in some if not world.retention.is_late(event)] for some in mine]
        earliest = [min(events, key=lambda event: event.received_at) for events in entered if events]
        listed = [event for event in earliest if event.event_id not in world.retention.names()]
        return sorted(listed, key=lambda event: (event.occurred_at, event.event_id))

    def _with_journey(self, uids: set[UnifiedUserId]) -> set[UnifiedUserId]:
        return {uid for uid in uids if self._world.shelf(uid).header(uid) is not None}


def true_to_itself(world: World, uid: UnifiedUserId) -> list[Event]:
    """The events of a journey, whose rows agree with one another."""
    shelf = world.shelf(uid)
    entries, events, header = shelf.entries(uid), shelf.held(uid), shelf.header(uid)
    assert len({event.event_id for event in events}) == len(events), f"{uid} holds an event twice"
    assert [key for key, _ in entries] == [entry_key(uid, e.occurred_at, e.event_id) for e in events]
    prefix = id_key(uid, EventId(""))
    indexed = {key: row for key, row in shelf.rows.items() if key.startswith(prefix)}
    assert indexed == {id_key(uid, e.event_id): e.occurred_at for e in events}, f"{uid} has a wrong index"
    _clicks_are_indexed(shelf, uid)
    if header is not None and header.sweep is None and not world.is_judging(uid):
        _ends_are_of_clicks(shelf, uid)
    shown = shelf.events(uid)
    if header is not None and header.state != "erased":
        counted = header.summary.events - header.aged.events
        assert counted == len(shown), f"{uid} counts {counted} of {len(shown)} events"
    if header is not None and header.state == "live" and header.sweep is None:
        assert header.summary == join(header.aged, folded(shown)), f"{uid} remembers something else than its events"
    return events


def _clicks_are_indexed(shelf: Shelf, uid: UnifiedUserId) -> None:
    """Each click has its row, and nothing else has."""
    clicks = {key: entry for key, entry in shelf.entries(uid) if entry.subject}
    wanted = {click_key(uid, one.subject, Place(*place_of(key))): int(not one.is_repeat) for key, one in clicks.items()}
    indexed = {key: row for key, row in shelf.rows.items() if key.startswith(CLICKS + uid.encode() + b"|")}
    assert indexed == wanted, f"{uid} has a wrong index of clicks"


def _ends_are_of_clicks(shelf: Shelf, uid: UnifiedUserId) -> None:
    """Nothing is left of subjects without clicks."""
    subjects = {entry.subject for _, entry in shelf.entries(uid)}
    ends = {key for key in shelf.rows if key.startswith(latest_key(uid, ""))}
    assert ends <= {latest_key(uid, one) for one in subjects}, f"{uid} keeps the end of clicks that are gone"


def repetitions_of(events: list[Event]) -> dict[str, list[str]]:
    """The events that count, each with those that only repeat it."""
    return repetitions(
        (e.occurred_at, e.event_id, e.click.subject, gap_of(e.click.subject)) if e.click else (e.occurred_at, e.event_id, e, 0)
        for e in events
    )


def names(events: list[Event]) -> list[str]:
    """Events by their ids."""
    return [event.event_id for event in events]
