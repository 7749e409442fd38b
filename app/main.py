"""Composition root: the app, its agents in the order of the pipeline, its views. `faust -A app.main worker` runs it."""

from agents import collect, people, requests
from app import audit_delivery, lookups, operators, views
from app.console import actions, pages, parts
from app.garbage import spare
from app.instance import app
from app.upkeep import upkeep

AGENTS = (collect, people, requests)
DOORS = (lookups, operators, views, actions, pages, parts)

__all__ = ["AGENTS", "DOORS", "app", "audit_delivery", "upkeep"]

spare()
