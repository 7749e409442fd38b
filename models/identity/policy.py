"""The guards: what may be one person. Pure decisions on content; what they need to know comes in a Policy."""

import msgspec

COUNTED_MAX = 16
"""Distinct events counted for a link; more evidence changes nothing and is not written."""
LINKED_MAX = 128
"""Other identifiers that a node counts events with; the oldest give way and are counted anew when seen again."""
REFUSED_MAX = 300
"""Refusals that a cluster lists; the oldest give way, and their links are tried again when seen again."""
HISTORY_MAX = 32
"""Past owners that an identifier remembers."""


class Policy(msgspec.Struct, frozen=True, array_like=True):
    """The operator's settings of the guards."""

    limits: dict[str, int] = {}
    """Values of a namespace in one cluster; a namespace that is not named has no limit but the cluster's."""
    cluster_limit: int = 100
    shared_after: int = 3
    """Distinct pairs refused because of a limit, after which an identifier takes no new links."""
    unlinks_max: int = 100
    """Decisions about pairs that one identifier is the home of."""
    cluster_unlinks_max: int = 1000
    """Decisions in one cluster."""
    blocked_version: int = 0
    """Which list of blocked values the events were read with; recorded, not used here."""


DEFAULT = Policy()
