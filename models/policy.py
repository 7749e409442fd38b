"""What a channel's records are read by: a frozen value, built once from the configuration and handed to `parse`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Self

from models.business import BusinessRule
from models.cleaning import Cleaning, Rules, rules_of
from models.event import Reason
from models.identifiers import Gathered, Namespaces
from models.ids import Identifier
from models.mapping import Places
from models.placing import Placing
from models.stages import Stage

REMEMBERED, REMEMBERED_AT_ONCE, REMEMBERED_LENGTH = 50_000, 4, 128
"""So many answers, the most identifiers of one event in them, and the longest text."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Policy:
    """The rules of one channel. `zone` is for times without an offset; `places` None = records are canonical events.

    Equal to itself alone, so that it is quickly found in a memory of answers.
    """

    channel: str
    namespaces: Namespaces
    zone: tzinfo = UTC
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Incoming name of an identifier -> namespace."""
    synonyms: Mapping[str, str] = field(default_factory=dict)
    """Other name of an event -> its name."""
    cleaning: Rules = field(default_factory=lambda: rules_of(Cleaning(), ""))
    business: tuple[BusinessRule, ...] = ()
    stages: Mapping[str, tuple[Stage, ...]] = field(default_factory=dict)
    """Event -> the stages that it may enter, in their order."""
    places: Places | None = None
    placing: Placing | None = None
    """Where events tell regions; None = nobody asks."""

    def for_verdicts(self) -> Self:
        """What of it decides whether a record is an event, and nothing that only tells more of the event."""
        return replace(self, business=self.business if self.cleaning.ask_business else (), stages={}, placing=None)

    def gather(self, given: object) -> Gathered:
        """The identifiers of an event under these rules."""
        if isinstance(given, dict) and len(given) <= REMEMBERED_AT_ONCE and _is_plain(given):
            return _gathered(self, tuple(given.items()))
        return self.namespaces.gather(given, self.renamed)

    def identifier(self, namespace: str, value: object) -> Identifier | Reason:
        """The identifier that a value stands for in lookups, or why it cannot be one."""
        return self.namespaces.identifier(namespace, value)


def _is_plain(given: dict[str, object]) -> bool:
    """Whether all are texts of the usual length: of others some are equal (1 and true), and some too long to be kept."""
    for name, value in given.items():
        if type(value) is not str or len(value) > REMEMBERED_LENGTH or len(name) > REMEMBERED_LENGTH:
            return False
    return True


@lru_cache(maxsize=REMEMBERED)
def _gathered(policy: Policy, given: tuple[tuple[str, str], ...]) -> Gathered:
    """The same identifiers come again and again."""
    return policy.namespaces.gather(dict(given), policy.renamed)
