"""The tap before the queues of agents, which Faust shuts while partitions move.

Upstream empties all queues whenever it opens the tap, also at the end of a recovery, when the tap is open already. What was
fetched behind the seek of that moment then lies in the queues: it would be lost, since reading goes on behind it. Standbys are
read by then too: theirs would lack rows that their persisted offset says they have.
"""

from mode.utils.queues import FlowControlEvent


class Flow(FlowControlEvent):
    """Opening empties the queues only where it was shut."""

    def resume(self) -> None:
        if not self.is_active():
            super().resume()
