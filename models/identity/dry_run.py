"""Identities in memory: the same handlers, one partition, one message after the other.

For trying out rules on a history before anybody's data is touched. Without limits the order of a history does not matter, so
what is found here is what any number of partitions find; with limits it is one of the orders that are possible.
"""

from collections import Counter, deque
from collections.abc import Iterator

import msgspec

from models.identity import handle
from models.identity.messages import Deliver, IdentityMessage, SetPolicy
from models.identity.outcome import Refused
from models.identity.policy import Policy
from models.identity.rows import Cluster, Row
from models.identity.values import Pair, Refusal
from models.ids import IdentifierKey, UnifiedUserId


class Found(msgspec.Struct, frozen=True):
    """A person: uid and identifiers as `namespace:value`, in order."""

    uid: UnifiedUserId
    identifiers: tuple[str, ...]


class DryRun:
    """Takes messages as they come and knows at any time who is who."""

    def __init__(self, policy: Policy) -> None:
        self._rows: dict[str, Row] = {}
        self.refused: dict[Pair, Refusal] = {}
        """The newest refusal of each pair."""
        self.hear(SetPolicy(0, policy, 0))

    def hear(self, message: IdentityMessage) -> None:
        """Handles a message and all that follows from it."""
        waiting = deque([message])
        while waiting:
            outcome = handle(waiting.popleft(), self._rows.get)
            self._rows.update(outcome.rows)
            waiting.extend(told for told in outcome.messages if type(told) is not Deliver)
            for output in outcome.outputs:
                if type(output) is Refused:
                    self.refused[output.pair] = output.refusal

    def persons(self) -> Iterator[Found]:
        """Everybody, each once."""
        for address, row in self._rows.items():
            if isinstance(row, Cluster) and row.content.members:
                names = sorted(member.name for member in row.content.members.values())
                yield Found(UnifiedUserId(address.removeprefix("c|")), tuple(names))

    def refusals(self) -> Iterator[tuple[str, str, Refusal]]:
        """Links that were refused, or cut: both identifiers as `namespace:value`, and why."""
        names = dict(self._named())
        for (a, b), refusal in sorted(self.refused.items()):
            yield names.get(a, a), names.get(b, b), refusal

    def _named(self) -> Iterator[tuple[IdentifierKey, str]]:
        for row in self._rows.values():
            if isinstance(row, Cluster):
                yield from ((key, member.name) for key, member in row.content.members.items())


class Difference(msgspec.Struct, frozen=True):
    """Persons of two runs over one history that are not the same set of identifiers, and how many are."""

    same: int
    before: tuple[tuple[str, ...], ...]
    after: tuple[tuple[str, ...], ...]


def difference(before: DryRun, after: DryRun) -> Difference:
    """What other rules would change; the smallest persons first."""
    old, new = ({person.identifiers for person in run.persons()} for run in (before, after))
    order = _by_size
    return Difference(len(old & new), tuple(sorted(old - new, key=order)), tuple(sorted(new - old, key=order)))


def sizes(run: DryRun) -> Counter[int]:
    """Persons by the number of their identifiers."""
    return Counter(len(person.identifiers) for person in run.persons())


def _by_size(identifiers: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    return len(identifiers), identifiers
