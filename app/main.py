"""Composition root: the app, its agents in the order of the pipeline, its views. `faust -A app.main worker` runs it."""

import gc

from agents import collect, identity, journey, requests
from app import audit_delivery, lookups, operators, views
from app.console import actions, pages, parts
from app.instance import app
from app.upkeep import upkeep

AGENTS = (collect, identity, journey, requests)
DOORS = (lookups, operators, views, actions, pages, parts)

__all__ = ["AGENTS", "DOORS", "app", "audit_delivery", "upkeep"]

# A stage makes and drops thousands of small values a second and keeps thousands; looking through them for cycles, of which they
# have none, cost a tenth of its time.
gc.freeze()
gc.set_threshold(50_000, 20, 100)
