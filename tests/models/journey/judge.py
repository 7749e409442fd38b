"""What must hold of journeys after every message, and what at rest."""

from models.event import Event
from models.ids import EventId, IdentifierKey, UnifiedUserId
from models.journey.rows import entry_key, id_key
from models.timeline import merged
from tests.models.journey.shelf import Shelf, folded
from tests.models.journey.world import World


class Judge:
    """Watches a world and says what is wrong."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: set[str] = set()
        """Events that were visible to somebody."""
        self._own: set[str] = set()
        """Events that were visible to the person whose they are."""
        self._timelines: dict[UnifiedUserId, list[Event]] = {}
        self._on_the_way: set[IdentifierKey] = set()
        """Identifiers that parted from somebody since it was last quiet. Their events travel after them from person to
        person and may be shown by one that they have left; if they come back by another way, they come once more."""

    def look(self) -> None:
        """After every message: nothing that was visible is gone, nothing is twice, counts are true."""
        world = self._world
        while world.changed:
            uid = world.changed.pop()
            self._timelines[uid] = _true_to_itself(world.shelf(uid), uid)
        views = {cluster.uid: self._view(cluster.uid) for cluster in world.custody.live()}
        anyone = set().union(self._passing_through_erased(), *views.values())
        alive = {name for name, some in world.deliveries.items() if some[0][0] in world.custody.holders}
        own = {name for name in alive if name in views[world.custody.holders[self._anchor(name)]]}
        self._on_the_way = self._on_the_way | world.parted if world.is_busy() else set()
        self._own -= {name for name in alive if self._anchor(name) in self._on_the_way}
        assert self._own & alive <= own, f"no longer visible to its person: {sorted(self._own & alive - own)}"
        assert self._seen & alive <= anyone, f"no longer visible: {sorted(self._seen & alive - anyone)}"
        self._own |= {name for name in own if self._anchor(name) not in self._on_the_way}
        self._seen |= anyone

    def erased(self) -> None:
        """Who is gone cannot be asked any more: what only they could see was not visible since."""
        views = [self._view(cluster.uid) for cluster in self._world.custody.live()]
        self._seen &= set().union(*views)

    def rest(self) -> None:
        """When all is quiet: each event in the journey of its anchor's holder and in no other; nothing is under way."""
        world = self._world
        expected = {uid: self._expected(uid) for uid in world.custody.clusters}
        for uid, cluster in world.custody.clusters.items():
            shelf = world.shelf(uid)
            found = shelf.events(uid)
            assert found == expected[uid], f"{uid} has {names(found)} instead of {names(expected[uid])}"
            header = shelf.header(uid)
            if header is not None:
                assert header.sweep is None, f"{uid} still sweeps"
                assert header.summary == folded(found), f"{uid} remembers {header.summary} instead of {folded(found)}"
                if cluster.state == "live":
                    assert set(header.done) >= self._with_journey(cluster.absorbed), f"{uid} waits for {cluster.absorbed}"

    def _view(self, uid: UnifiedUserId) -> set[str]:
        world = self._world
        uids = world.uids_of(world.custody.clusters[uid])
        shown = [event.event_id for event in merged([self._timelines.get(one, []) for one in uids])]
        assert len(shown) == len(set(shown)), f"{uid} shows an event twice"
        return set(shown)

    def _passing_through_erased(self) -> set[str]:
        """Events that have to go on from a journey of an erased person: nobody can ask for them there, but they are not lost."""
        erased = [cluster for cluster in self._world.custody.clusters.values() if cluster.state == "erased"]
        uids = {uid for cluster in erased for uid in (cluster.uid, *cluster.absorbed)}
        return {event.event_id for uid in uids for event in self._timelines.get(uid, [])}

    def _anchor(self, event_id: str) -> IdentifierKey:
        return self._world.deliveries[event_id][0][0]

    def _expected(self, uid: UnifiedUserId) -> list[Event]:
        world = self._world
        mine = [some for some in world.deliveries.values() if world.custody.holders.get(some[0][0]) == uid]
        earliest = [min((event for _, event in some), key=lambda event: event.received_at) for some in mine]
        return sorted(earliest, key=lambda event: (event.occurred_at, event.event_id))

    def _with_journey(self, uids: set[UnifiedUserId]) -> set[UnifiedUserId]:
        return {uid for uid in uids if self._world.shelf(uid).header(uid) is not None}


def _true_to_itself(shelf: Shelf, uid: UnifiedUserId) -> list[Event]:
    """The events of a journey, whose rows agree with one another."""
    entries, events, header = shelf.entries(uid), shelf.events(uid), shelf.header(uid)
    assert len({event.event_id for event in events}) == len(events), f"{uid} holds an event twice"
    assert [key for key, _ in entries] == [entry_key(uid, e.occurred_at, e.event_id) for e in events]
    prefix = id_key(uid, EventId(""))
    indexed = {key: row for key, row in shelf.rows.items() if key.startswith(prefix)}
    assert indexed == {id_key(uid, e.event_id): e.occurred_at for e in events}, f"{uid} has a wrong index"
    if header is not None and header.state != "erased":
        assert header.summary.events == len(events), f"{uid} counts {header.summary.events} of {len(events)} events"
    if header is not None and header.state == "live" and header.sweep is None:
        assert header.summary == folded(events), f"{uid} remembers something else than its events"
    return events


def names(events: list[Event]) -> list[str]:
    """Events by their ids."""
    return [event.event_id for event in events]
