"""What the stage of people counts while it works: outcomes, and signs that messages run in circles."""

import logging
from collections import Counter

from models.identity.messages import Deliver, Retry
from models.identity.outcome import Erased, Merged, Output, Refused, Split, Wandering
from models.ids import namespace_of
from models.people import PeopleMessage

log = logging.getLogger(__name__)


class IdentityCounters:
    """Since the start of the process; a repetition after a crash counts again."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        """By reason and namespace; a pair counts for the namespace of its limit, else of its smaller identifier."""
        self.retries = self.forwards = self.alarms = 0

    def hear(self, message: PeopleMessage) -> None:
        """A message is about to be handled."""
        if type(message) is Retry:
            self.retries += 1
        elif type(message) is Deliver and message.detours:
            self.forwards += 1

    def see(self, output: Output) -> None:
        """An outcome; a message that wandered far raises an alarm and goes on."""
        match output:
            case Merged() | Split() | Erased():
                self.outcomes[type(output).__name__.lower()] += 1
            case Refused(pair, refusal):
                self.refused[refusal.reason, refusal.namespace or namespace_of(pair[0])] += 1
            case Wandering():
                self.alarms += 1
                log.warning("a message for %s was sent on %d times, last by %s", output.key, output.detours, output.uid)
            case _:
                return
