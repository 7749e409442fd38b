"""What a channel's records are read by: a frozen value, built once from the configuration and handed to `parse`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Self

from models.business import BusinessRule
from models.cleaning import Cleaning, Rules, rules_of
from models.event import Reason
from models.identifiers import Namespaces
from models.ids import Identifier
from models.mapping import Places
from models.placing import Placing
from models.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one channel. `zone` is for times without an offset; `places` None = records are canonical events."""

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

    def identifier(self, namespace: str, value: object) -> Identifier | Reason:
        """The identifier that a value stands for in lookups, or why it cannot be one."""
        return self.namespaces.identifier(namespace, value)
