"""Composition root of a worker that builds a state beside the one in use: `faust -A app.shadow worker`.

It has the stage of people, but neither the agents that read behaviour and requests, which `onetrail rebuild` feeds to it in the
order of the log, nor the doors through which anything is asked for.
"""

from agents import people
from app import lookups, views
from app.instance import app
from app.upkeep import upkeep

__all__ = ["app", "lookups", "people", "upkeep", "views"]
