"""State of an earlier program, which had two stages with rows, each with an inbox and a changelog.

Its rows cannot be read here. It names its group and its offsets as this program does, so only one of the two may run of a state.
"""

from app.administration import administering
from app.config.sections import FORMER_INBOXES
from app.settings import Settings

CHANGELOGS = ("identity-changelog", "journey-changelog")


def names(settings: Settings) -> frozenset[str]:
    """What the topics of the settings' generation were called."""
    inboxes = (f"{settings.inner}.{name}" for name in FORMER_INBOXES)
    return frozenset((*inboxes, *(f"{settings.app_id}-{name}" for name in CHANGELOGS)))


async def is_former(settings: Settings) -> bool:
    """Whether the settings' generation is of the earlier program. Raises aiokafka's errors."""
    async with administering(settings.bootstrap, **settings.security) as admin:
        return not names(settings).isdisjoint(await admin.list_topics())


async def workers(settings: Settings) -> int:
    """How many workers the settings' generation has, as far as Kafka knows: one that died counts until its session ends."""
    async with administering(settings.bootstrap, **settings.security) as admin:
        answers = await admin.describe_consumer_groups([settings.app_id])
    return sum(len(told[5]) for answer in answers for told in answer.groups)
