"""What the collector has to know of a channel to take events for it."""

import dataclasses
from collections.abc import Mapping

from app.config import Channel, Config, policy_of
from app.settings import Settings
from models import segment, sensors
from models.policy import Policy


@dataclasses.dataclass(frozen=True, slots=True)
class Intake:
    """A channel: `topic` is the full name of where its events go, `policy` what the workers judge them by."""

    name: str
    topic: str
    policy: Policy
    dialect: segment.Dialect

    @property
    def has_own_format(self) -> bool:
        """Whether its records are not canonical events."""
        return self.policy.places is not None


def intakes(settings: Settings, config: Config) -> Mapping[str, Intake]:
    """All channels by name."""
    return {name: _intake(settings, config, channel) for name, channel in config.channels.items()}


def _intake(settings: Settings, config: Config, channel: Channel) -> Intake:
    names = {**segment.NAMESPACES, **sensors.IDENTITIES, **channel.namespaces}
    dialect = segment.Dialect(names, frozenset(config.namespaces))
    return Intake(channel.name, f"{settings.prefix}.{channel.topic}", policy_of(config, channel).for_verdicts(), dialect)
