"""What the agents count and the views tell: so that who answers questions imports nobody who writes."""

from collections import Counter
from typing import Any

from app.counters import IdentityCounters
from app.instance import table
from app.latency import Delay, VisibleDelay
from app.runtime.relay import Relay
from app.runtime.stage import Stage
from app.runtime.tally import Followers, Tally
from models.people import Row
from tables.census import Census
from tables.codec import codec
from tables.journey import HEADERS, events

census = Census()
"""Of the clusters of this worker's partitions."""
events_kept: Tally[Row] = Tally(codec, HEADERS, events)
"""Events in the journeys of this worker's partitions."""
followers: Followers[Row] = Followers(census, events_kept)
counters = IdentityCounters()
stages: dict[str, Stage[Any, Any]] = {}
relays: dict[str, Relay] = {}
doubles: Counter[str] = Counter()
"""Events whose id their journey had already, by the channel that told them again."""
shown = VisibleDelay()
"""Of the last stage, behind which events can be looked up."""
delays: dict[str, Delay] = {"collect": Delay(), "requests": Delay(), "people": shown}
"""By agent."""

table.follower = followers
