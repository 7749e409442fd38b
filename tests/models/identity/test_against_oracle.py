"""Any story at all: after each step the actors know the persons that the plain rules know.

Where something is refused, which of several links of one event it is depends on which arrives first; so with operators and
guards an event shows two identifiers at most, and without them any number.
"""

from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from models.identity.policy import Policy
from tests.models.identity.actors import Actors
from tests.oracle import People

LIMITS = {"user_id": 1, "phone": 2}
NAMES = [f"{namespace}:{i}" for namespace in ("user_id", "phone", "device_id") for i in range(3)]
names = st.sampled_from(NAMES)
pairs = st.lists(names, min_size=2, max_size=2, unique=True)


class Story(RuleBasedStateMachine):
    """Identify, erase, and anything said before once more."""

    limits: ClassVar[dict[str, int]] = {}
    cluster_limit = 100
    shown_max = 4

    def __init__(self) -> None:
        super().__init__()
        self.actors = Actors(Policy(limits=self.limits, cluster_limit=self.cluster_limit, shared_after=1000))
        self.people = People(self.limits, self.cluster_limit)
        self.now = 0
        self.said: list[str] = []

    def say(self, line: str) -> None:
        """One more line of the story."""
        self.now += 1
        self.said.append(f"t{self.now} {line}")
        self.actors.told(self.said[-1])

    @rule(data=st.data())
    def identify(self, data: st.DataObject) -> None:
        """An event with some identifiers."""
        group = data.draw(st.lists(names, min_size=1, max_size=self.shown_max, unique=True))
        self.say(f"web {' '.join(group)}")
        self.people.event(f"e{self.now}", group, self.now * 1000)

    @rule(name=names)
    def erase(self, name: str) -> None:
        """An erasure."""
        self.say(f"erase {name}")
        self.people.erase(name, self.now * 1000)

    @rule(data=st.data())
    def duplicate(self, data: st.DataObject) -> None:
        """Something that was said before is said again: an event, by its id; nothing comes of it that was not."""
        events = [line for line in self.said if line.split()[1] == "web"]
        if events:
            line = data.draw(st.sampled_from(events))
            time, _, *group = line.split()
            self.actors.told(line)
            self.people.event(f"e{time[1:]}", group, int(time[1:]) * 1000)

    @invariant()
    def the_same_persons(self) -> None:
        """Persons, refusals and results agree with the plain rules."""
        assert self.actors.persons() == self.people.persons()
        for name in self.people.known:
            refused = {next(iter(link - {name})): why for link, why in self.people.refused.items() if name in link}
            assert self.actors.refused(name) == refused


class OperatedStory(Story):
    """The same with operators, who link and unlink."""

    shown_max = 2

    @rule(pair=pairs)
    def link(self, pair: list[str]) -> None:
        """An operator's link."""
        self.say(f"link {pair[0]} {pair[1]}")
        self.people.link(pair[0], pair[1], f"r{self.now}", self.now * 1000)

    @rule(pair=pairs)
    def unlink(self, pair: list[str]) -> None:
        """An operator's unlink."""
        self.say(f"unlink {pair[0]} {pair[1]}")
        self.people.unlink(pair[0], pair[1], self.now * 1000)


class GuardedStory(OperatedStory):
    """The same with guards."""

    limits: ClassVar[dict[str, int]] = LIMITS
    cluster_limit = 4


TestStory, TestOperatedStory, TestGuardedStory = Story.TestCase, OperatedStory.TestCase, GuardedStory.TestCase
TestStory.settings = TestOperatedStory.settings = TestGuardedStory.settings = settings(
    max_examples=30,
    stateful_step_count=20,
)
