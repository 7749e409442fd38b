"""Composition root of a worker that builds a state beside the one in use: `faust -A app.shadow worker`.

It has the stages, but neither the agents that read behaviour and requests, which `onetrail rebuild` feeds to it in the order of
the log, nor the doors through which anything is asked for.
"""

from agents import identity, journey
from app import lookups, views
from app.instance import app
from app.upkeep import upkeep

__all__ = ["app", "identity", "journey", "lookups", "upkeep", "views"]
