"""Journeys in several partitions that exchange messages in any order that Kafka allows, and in some that it does not.

Between two partitions messages keep their order; else everything interleaves at will. Every message may come once more, at
any later time. The runtime's cursor drops such duplicates in reality; that they are harmless here too is our second line.
"""

from collections import defaultdict, deque
from random import Random
from typing import NamedTuple

from models.event import Event
from models.ids import IdentifierKey, UnifiedUserId
from models.journey import Header, JourneyMessage, handle
from models.journey.messages import Age, Rejudge, RetentionDue, parted
from models.journey_messages import JourneyNews
from tests.models.journey.ageing import Retention
from tests.models.journey.custody import Cluster, Custody
from tests.models.journey.making import made, placed
from tests.models.journey.shelf import Shelf

PARTITIONS = 3
KEYS = 5
CHANNELS = ("web", "app", "store")
CLICKS = (None, None, "3.buy", "3.buy", "2.more")
"""What they are compared by. Events occur within few milliseconds, so many of them repeat another."""
STAGES = (None, None, "consult", "order")


class Lane(NamedTuple):
    """What comes from one stage in one partition; it keeps its order."""

    stage: str
    source: int
    destination: int


class World:
    """A history from a seed: what persons do, what becomes of their identities, and the messages on their way."""

    def __init__(self, seed: int, *, patient: bool = False, ageing: bool = False, clicking: bool = True) -> None:
        """`patient`: identities change only while no messages are under way; events come at any time. `ageing`: timers come.
        `clicking`: some events are clicks."""
        self._patient, self._ageing, self._is_clicking = patient, ageing, clicking
        self.random, self._clicking = Random(seed), Random(seed)
        self.custody = Custody(self.random, KEYS)
        self.shelves = [Shelf() for _ in range(PARTITIONS)]
        self.lanes: defaultdict[Lane, deque[JourneyMessage]] = defaultdict(deque)
        self.again: list[JourneyMessage] = []
        self.deliveries: defaultdict[str, list[tuple[IdentifierKey, Event]]] = defaultdict(list)
        self.dead: set[str] = set()
        """Events that an erasure covers."""
        self.parted: set[IdentifierKey] = set()
        self.changed: set[UnifiedUserId] = set()
        self.messages = 0
        self.retention = Retention(self.random)
        self.reported: set[str] = set()
        """Clicks that were reported as repetitions."""
        self._clock = 0

    def shelf(self, uid: UnifiedUserId) -> Shelf:
        """The partition of a journey."""
        return self.shelves[partition(uid)]

    def happen(self) -> None:
        """One thing in the outside world."""
        self.parted = set()
        if self._ageing and not self.is_busy() and self.random.random() < 0.7:
            self._age()
        choice = self.random.random()
        if choice < 0.55:
            self._occur()
        elif choice < 0.65:
            self._deliver_again()
        elif self._patient and self.is_busy():
            return
        elif choice < 0.8:
            if len(self.custody.live()) > 1:
                self.custody.merge()
        elif choice < 0.95:
            self._split()
        elif choice < 0.98 and self.custody.live():
            self._erase(self.random.choice(self.custody.live()))
        elif self.custody.erased:
            self.custody.rise()

    def progress(self) -> bool:
        """One message reaches its journey, or one cluster learns that it was absorbed; False when all is quiet."""
        lanes = sorted(lane for lane, waiting in self.lanes.items() if waiting)
        unanswered = self.custody.unanswered()
        options = len(lanes) + len(self.again) + len(unanswered)
        if not options:
            return False
        choice = self.random.randrange(options)
        if choice < len(lanes):
            message = self.lanes[lanes[choice]].popleft()
            if self.random.random() < 0.15:
                self.again.append(message)
            self.apply(message)
        elif choice < len(lanes) + len(self.again):
            self.apply(self.again.pop(choice - len(lanes)))
        else:
            self.tell(self.custody.answer(unanswered[choice - len(lanes) - len(self.again)]))
        return True

    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self.again or self.custody.unanswered() or any(self.lanes.values()))

    def is_judging(self, uid: UnifiedUserId) -> bool:
        """Whether a verdict on clicks of a journey is under way."""
        return any(isinstance(one, Rejudge) and one.uid == uid for waiting in self.lanes.values() for one in waiting)

    def has_news(self) -> bool:
        """Whether journeys have not heard yet of all that happened to identities."""
        return any(waiting for lane, waiting in self.lanes.items() if lane.stage == "identity")

    def tell(self, news: JourneyNews) -> None:
        """A cluster to its journey."""
        home = partition(news.uid)
        self.lanes[Lane("identity", home, home)].append(news)

    def apply(self, message: JourneyMessage) -> None:
        """A journey handles a message."""
        shelf, before = self.shelf(message.uid), self.shelf(message.uid).events(message.uid) if isinstance(message, Age) else []
        self.messages += 1
        self.changed.add(message.uid)
        outcome = handle(message, shelf)
        self._send(partition(message.uid), outcome.messages)
        self.retention.refuse(outcome.late)
        self.reported |= {event.event_id for event in outcome.repeated}
        if isinstance(message, Age):
            after = {event.event_id for event in shelf.events(message.uid)}
            self.retention.leave(message.uid, [event for event in before if event.event_id not in after])

    def _age(self) -> None:
        """A timer: every partition learns of the new limit; what follows from it takes its time."""
        limit = self.retention.rise()
        for home, shelf in enumerate(self.shelves):
            self._send(home, handle(RetentionDue(UnifiedUserId(""), limit), shelf).messages)

    def _send(self, home: int, told: list[JourneyMessage]) -> None:
        for message in told:
            self.lanes[Lane("journey", home, partition(message.uid))].append(message)

    def _occur(self) -> None:
        if self.custody.holders:
            key = self.random.choice(sorted(self.custody.holders))
            self._place(f"e{len(self.deliveries)}", key)

    def _deliver_again(self) -> None:
        """A retry: the same event id, with the time of a clock that was set right meanwhile."""
        known = [(name, self.anchor(name)) for name in self.alive()]
        if known:
            self._place(*self.random.choice(known))

    def _place(self, event_id: str, key: IdentifierKey) -> None:
        self._clock += 1
        random = self.random
        receiver = self.custody.clusters[self.custody.receiver(key)]
        event = made(
            event_id,
            self.retention.time([event for _, event in self.deliveries[event_id]], self.custody.until(key)),
            received=self._clock,
            channel=random.choice(CHANNELS),
            traits={"city": self._clock},
            stage=random.choice(STAGES),
            click=self._clicking.choice(CLICKS) if self._is_clicking else None,
        )
        self.deliveries[event_id].append((key, event))
        self.tell(placed(receiver.uid, event, key, receiver.members[key]))

    def _erase(self, cluster: Cluster) -> None:
        self.dead |= {name for name in self.alive() if self.anchor(name) in cluster.members}
        self.tell(self.custody.erase(cluster, self.retention.latest))

    def _split(self) -> None:
        several = [cluster for cluster in self.custody.live() if len(cluster.members) > 1]
        if several:
            news = self.custody.split(self.random.choice(several))
            self.parted = set() if self._patient else set(news.versions)
            self.tell(news)

    def anchor(self, event_id: str) -> IdentifierKey:
        """The identifier that an event is anchored on."""
        return self.deliveries[event_id][0][0]

    def alive(self) -> list[str]:
        """The events of persons there are."""
        return [name for name in self.deliveries if name not in self.dead]

    def uids_of(self, cluster: Cluster) -> list[UnifiedUserId]:
        """The timelines that a lookup reads for a person: its own first, then those from which events still come."""
        own = self.shelf(cluster.uid).header(cluster.uid) or Header()
        absorbed = [uid for uid in cluster.absorbed if uid not in own.done]
        origins = [origin for fragment, origin in cluster.origins.items() if parted(fragment) not in own.done]
        headers = {uid: self.shelf(uid).header(uid) for uid in sorted({*absorbed, *origins} - {cluster.uid})}
        holding = [uid for uid, h in headers.items() if h is not None and (h.state == "live" or h.sweep is not None)]
        return [cluster.uid, *holding]

    def is_settled(self, cluster: Cluster) -> bool:
        """Whether the person's own timeline holds its events and no others, so that nothing needs to be left out."""
        own = self.shelf(cluster.uid).header(cluster.uid)
        return len(self.uids_of(cluster)) == 1 and (own is None or own.sweep is None)


def partition(uid: UnifiedUserId) -> int:
    """Where a journey lies."""
    return int(uid[1:]) % PARTITIONS
