"""Composition root: the app, its agents in the order of the pipeline, its views. `faust -A app.main worker` runs it."""

from agents import collect, identity, journey, requests
from app import lookups, operators, views
from app.instance import app
from app.upkeep import upkeep

__all__ = ["app", "collect", "identity", "journey", "lookups", "operators", "requests", "upkeep", "views"]
