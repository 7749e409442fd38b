"""Who lives through it, from a seed, and what must come of each: nothing here depends on the order in which things arrive.

- residents: all is told before the fire begins, so that any later answer about them is right or it is wrong;
- the crowd: several names each, told all the while, in disorder, some of it twice, some of it again with another time;
- a tablet of a shop belongs to its owner before the fire; guests who use it later are refused by the limit of `user_id`;
- the parted were one person before the fire, until an operator unlinks them in its midst;
- the leavers are erased in its midst; what is told of them later is from before, so it is rejected.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tests.real.crowd import BEGIN_MS, Behaviour, Crowd, Name, Truth, truth

RESIDENTS, CROWD, TABLETS, PARTED, LEAVERS = 20, 80, 3, 4, 4
RESIDENT_EVENTS = 120
HOUR_MS = 3_600_000
RETOLD, REDATED, GUEST, PARTING, LATE = 0.03, 0.03, 0.04, 0.02, 0.01
"""What part of the load is something special."""


@dataclass
class Told:
    """What was told of whom. `behaviours` is what must be found, `late` what must be rejected as erased."""

    behaviours: list[Behaviour] = field(default_factory=list)
    late: list[Behaviour] = field(default_factory=list)
    parted: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    flooded: list[Behaviour] = field(default_factory=list)
    """Told while retention took what nobody had read: each is found, or is missing and told to be."""

    def people(self) -> list[Truth]:
        """Everybody who must be known at the end, the smallest first."""
        gone = {name for number in self.left for name in leaver(number)}
        staying = [one for one in self.behaviours if not gone.intersection(one.names)]
        found = truth(staying, apart={frozenset(parted(number)) for number in self.parted} | self._refused())
        return sorted(found, key=lambda person: (len(person.events), sorted(person.names)))

    def _refused(self) -> set[frozenset[Name]]:
        pairs = {one.names for one in self.behaviours if one.names[0][1].startswith("tablet")}
        return {frozenset(names) for names in pairs if names != tablet(int(names[0][1].split()[1]))}


class Cast:
    """Makes the events."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._residents = Crowd(seed, RESIDENTS).events(RESIDENT_EVENTS)
        self._crowd = Crowd(seed, CROWD, first=1_000)
        self._numbered = 0
        self._redated: dict[str, Behaviour] = {}
        self._due: list[Behaviour] = []
        self.told = Told()

    def founding(self) -> list[Behaviour]:
        """What is told before the fire."""
        bound = [tablet(n) for n in range(TABLETS)] + [parted(n) for n in range(PARTED)]
        events = [self._event(names) for names in bound for _ in range(2)]
        events += [self._event((name,)) for n in range(PARTED) for name in parted(n)]
        events += [self._event(leaver(n)) for n in range(LEAVERS) for _ in range(3)]
        self.told.behaviours += events + self._residents
        return events + self._residents

    @property
    def residents(self) -> list[Truth]:
        """Those of whom everything is told."""
        return truth(self._residents)

    def events(self, count: int) -> list[Behaviour]:
        """The next of the load."""
        due, self._due = self._due, []
        self.told.behaviours += due
        return due + [event for one in self._crowd.events(count) for event in self._varied(one)]

    def acknowledged(self, events: Iterable[Behaviour]) -> None:
        """What was told with one time may be told with another from now on: the first delivery stands."""
        self._due += [again for event in events if (again := self._redated.pop(event.event_id, None))]

    def _varied(self, event: Behaviour) -> Iterator[Behaviour]:
        chance = self._random
        behaviours = [event]
        if chance.random() < RETOLD:
            behaviours.append(event)
        if chance.random() < REDATED:
            moved = event.occurred_at + chance.randint(-HOUR_MS, HOUR_MS)
            self._redated[event.event_id] = replace(event, occurred_at=moved)
        if chance.random() < GUEST:
            behaviours.append(self._guest())
        if self.told.parted and chance.random() < PARTING:
            behaviours.append(self._event(parted(chance.choice(sorted(self.told.parted)))))
        self.told.behaviours += behaviours
        yield from behaviours
        if self.told.left and chance.random() < LATE:
            late = self._event(leaver(chance.choice(sorted(self.told.left))))
            self.told.late.append(late)
            yield late

    def _guest(self) -> Behaviour:
        at = tablet(self._random.randrange(TABLETS))
        return self._event((at[0], ("user_id", f"guest {self._random.randrange(30)} of {at[0][1]}")))

    def _event(self, names: tuple[Name, ...]) -> Behaviour:
        self._numbered += 1
        at = BEGIN_MS + self._random.randrange(24 * HOUR_MS)
        more = {"properties": {"number": self._numbered}}
        return Behaviour(self._random.choice(("web", "store")), f"special-{self._numbered:06d}", "order_paid", at, names, more)


def tablet(number: int) -> tuple[Name, Name]:
    """A tablet, and whose it is."""
    return ("device_id", f"tablet {number}"), ("user_id", f"owner {number}")


def parted(number: int) -> tuple[Name, Name]:
    """Two names that are one person until an operator parts them."""
    return ("anonymous_id", f"parted {number}"), ("user_id", f"parted {number}")


def leaver(number: int) -> tuple[Name, Name]:
    """The names of somebody who will be erased."""
    return ("phone", f"+86139{number:08d}"), ("user_id", f"leaver {number}")
